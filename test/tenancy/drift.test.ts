import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../src/kube/index.ts'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation

beforeAll(async () => {
  company = await openOrganisation()
  await company.write(guide)
  await company.arena('org', 'apply')
})
afterAll(() => company.close())

describe('rights that somebody gave by hand', () => {
  it('are taken back without consent, also under the labels of arena: the file never gave them', async () => {
    const role = { namespace: 'dev1', name: 'arena:member' }
    const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['*'] }
    await company.client.patch(kinds.roles, role, {
      type: 'json',
      operations: [{ op: 'add', path: '/rules/-', value: secrets }],
    })
    const given = await company.client.get(kinds.roleBindings, {
      namespace: 'dev1',
      name: 'arena:bob:member',
    })
    const labels = { ...given.metadata.labels }
    for (const [user, home] of [
      ['bob', 'dev1'],
      ['tom', 'dev2'],
    ] as const) {
      await company.client.create(
        kinds.roleBindings,
        {
          metadata: {
            name: `arena:${user}:lead`,
            labels: { ...labels, 'arena.dev/user': user, 'arena.dev/role': 'lead' },
          },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'arena:lead' },
          subjects: [{ kind: 'ServiceAccount', name: user, namespace: home }],
        },
        { namespace: 'dev1' },
      )
    }
    const found = await company.arena('org', 'drift')
    expect(found.out).toMatch(/RoleBinding dev1\/arena:bob:lead: not in the file \(whoever uses "test", at/)
    const mended = await company.arena('org', 'drift', '--repair')
    expect(mended, mended.err).toMatchObject({ status: 0, out: expect.stringContaining('3 changes made') })
    expect((await company.client.get(kinds.roles, role)).rules).not.toContainEqual(secrets)
    expect((await company.arena('org', 'drift')).status).toBe(0)
  })
})
