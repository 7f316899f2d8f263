import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Edit, editText } from '../../../src/tenancy/file/edit.ts'

const file = `# the company
organisation: department1

users:
  bob: { uid: 20001 }   # the first one

  # came in May
  tom: { uid: 20002 }
  ann:
    uid: 20003
    email: ann@example.com

groups:
  dev1: { gid: 10001, quota: { gpu: 1 },                       members: { bob: member } }
  dev2: { gid: 10002, quota: { gpu: 2, cpu: 8 },               members: { tom: member } } # the others
  dev3:
    gid: 10003
    members:
      bob: viewer
      ann: lead # since June
# the end
`

it('ends the lines that it adds as the file ends its own', () => {
  const edits = [{ path: ['users', 'max'], value: { uid: 20004 } }]
  const windows = file.replaceAll('\n', '\r\n')
  expect(editText(windows, edits)).toBe(editText(file, edits).replaceAll('\n', '\r\n'))
})

const cases: [string, Edit[]][] = [
  ['adds a user below the last one', [{ path: ['users', 'max'], value: { uid: 20004, name: 'Max M.' } }]],
  ['adds a member on the same line', [{ path: ['groups', 'dev1', 'members', 'ann'], value: 'lead' }]],
  [
    'adds a member to a block',
    [{ path: ['groups', 'dev3', 'members', 'tom'], value: { role: 'member', until: '2027-03-31' } }],
  ],
  ['changes a quota in place', [{ path: ['groups', 'dev2', 'quota', 'gpu'], value: 4 }]],
  ['adds a quota to a group without one', [{ path: ['groups', 'dev3', 'quota', 'cpu'], value: 8 }]],
  ['removes a user with the comment above', [{ path: ['users', 'tom'], value: undefined }]],
  ['removes a user of several lines', [{ path: ['users', 'ann'], value: undefined }]],
  ['removes a quota from a line', [{ path: ['groups', 'dev2', 'quota', 'gpu'], value: undefined }]],
  ['removes the last member of a line', [{ path: ['groups', 'dev1', 'members', 'bob'], value: undefined }]],
  ['adds a section that is not there', [{ path: ['volumes', 'data'], value: { size: '1Gi' } }]],
  [
    'does several things one after the other',
    [
      { path: ['users', 'bob'], value: undefined },
      { path: ['groups', 'dev3', 'members', 'bob'], value: undefined },
    ],
  ],
]

describe('an edit of an organisation file', () => {
  it.each(cases)('%s', (_, edits) => {
    const edited = editText(file, edits)
    expect(differingLines(file, edited)).toMatchSnapshot()
    const expected: unknown = parse(file)
    for (const { path, value } of edits) set(expected, path, value)
    expect(parse(edited)).toEqual(expected)
  })

  it('keeps every other line as it was', () => {
    const edited = editText(file, [{ path: ['users', 'max'], value: { uid: 1 } }])
    expect(edited.split('\n').filter((line) => !line.includes('max'))).toEqual(file.split('\n'))
  })

  it('rewrites a file whose form it cannot splice, with the same content', () => {
    const unusual = 'organisation: a\nusers: &all\n  bob: {uid: 1}\nothers: *all\n'
    const edited = editText(unusual, [{ path: ['users', 'tom'], value: { uid: 2 } }])
    expect(parse(edited)).toMatchObject({ users: { bob: { uid: 1 }, tom: { uid: 2 } } })
  })
})

function differingLines(before: string, after: string): string[] {
  const old = before.split('\n')
  const fresh = after.split('\n')
  return [
    ...old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`),
    ...fresh.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ]
}

function set(root: unknown, path: readonly string[], value: unknown): void {
  let holder: unknown = root
  for (const step of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return
    if (Reflect.get(holder, step) === undefined) Reflect.set(holder, step, {})
    holder = Reflect.get(holder, step)
  }
  if (typeof holder !== 'object' || holder === null) return
  if (value === undefined) Reflect.deleteProperty(holder, path.at(-1) ?? '')
  else Reflect.set(holder, path.at(-1) ?? '', value)
}
