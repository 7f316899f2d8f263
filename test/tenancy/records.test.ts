import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

const hash = '$6$rounds=5000$saltsalt$hashhashhash'
const guide = (await readFile('examples/guide/org.yaml', 'utf8')).replace(
  'bob: { uid: 20001 }',
  `bob: { uid: 20001, passwordHash: ${hash} }`,
)
let company: TestOrganisation

beforeAll(async () => {
  company = await openOrganisation()
  await company.write(guide)
  await company.arena('org', 'apply')
})
afterAll(() => company.close())

const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((inner, step) => Reflect.get(Object(inner), step), value)

/** What a value is made of, without what it says. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]))
}

describe('records for programs', () => {
  it('have the form that is documented, whatever the command, and no secret in them', async () => {
    const commands = [
      'org check',
      'org plan',
      'org status',
      'org drift',
      'org history',
      'org diff 1 org.yaml',
      'group list',
      'user list',
      'user grant bob dev2 viewer --until 2099-12-31',
      'org drift --repair',
      'user remove bob --no-host',
      'org plan',
    ]
    const shapes: Record<string, unknown> = {}
    for (const command of commands) {
      const { out, err } = await company.arena(...command.split(' '), '-o', 'json')
      expect(out + err).not.toContain('hashhashhash')
      shapes[command] = shapeOf(JSON.parse(out))
    }
    expect(shapes).toMatchSnapshot()
    const removed = JSON.parse((await company.arena('user', 'remove', 'tom', '--no-host', '-o', 'json')).out)
    expect(at(removed, 'receipt')).toMatch(/receipts\/tom-.*\.json$/)
  })

  it('of a file with faults name line, column, message and hint, and not what a password was', async () => {
    await company.write(guide.replace(hash, 'hunter2').replace('tom: {', 'tom: { password: "hunter2 x", '))
    const checked = await company.arena('org', 'check', '-o', 'json')
    expect(checked.status).toBe(1)
    expect(at(JSON.parse(checked.out), 'faults', 0)).toMatchObject({ line: 6, hint: expect.any(String) })
    const shown = await company.arena('org', 'check')
    expect(checked.out + checked.err + shown.out + shown.err).not.toContain('hunter2')
    await company.write(guide.replace(hash, '12345678'))
    expect((await company.arena('org', 'check')).err).toContain('passwordHash is a number, expected a text')
    await company.write(guide)
  })
})
