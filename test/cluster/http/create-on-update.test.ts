import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UserInfo } from '../../../src/cluster/registry/index.ts'
import { type Answer, type BareCluster, openBareCluster } from './bare-cluster.ts'

let cluster: BareCluster

beforeAll(async () => {
  cluster = await openBareCluster()
}, 60_000)

afterAll(() => cluster.close())

const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'

const send = (
  method: string,
  path: string,
  body: unknown,
  { user, type }: { user?: UserInfo; type?: string } = {},
): Promise<Answer> =>
  cluster.send(method, path, {
    body,
    ...(user && { user }),
    ...(type && { headers: { 'content-type': type } }),
  })

const lease = (name: string, metadata: object = {}): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, ...metadata },
  spec: { holderIdentity: 'one', leaseDurationSeconds: 15 },
})

test('a PUT of an absent lease creates it, and the next one changes it', async () => {
  const created = await send('PUT', `${leases}/put`, lease('put'))
  expect(created.status).toBe(201)
  expect(created.body).toMatchObject({ metadata: { name: 'put', namespace: 'default' } })
  const { resourceVersion } = created.body['metadata'] as { resourceVersion: string }
  const changed = await send('PUT', `${leases}/put`, lease('put', { labels: { a: 'b' }, resourceVersion }))
  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({ metadata: { labels: { a: 'b' } } })
})

test('a PUT of an absent config map finds nothing to change', async () => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'absent' } }
  expect((await send('PUT', '/api/v1/namespaces/default/configmaps/absent', body)).status).toBe(404)
})

test('a PUT that names another object than its path creates neither', async () => {
  const refused = await send('PUT', `${leases}/path`, lease('body'))
  expect(refused.status).toBe(400)
  expect(refused.body['message']).toBe(
    'the name of the object (body) does not match the name on the URL (path)',
  )
  const dry = await send('PUT', `${leases}/dry?dryRun=All`, lease('dry'))
  expect(dry.status).toBe(201)
  expect((await send('DELETE', `${leases}/dry`, {})).status).toBe(404)
})

test('who may change leases but not create them creates none with a PUT', async () => {
  await send('POST', `${rbac}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'lease-changer' },
    rules: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'update'] }],
  })
  await send('POST', `${rbac}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'lease-changer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'lease-changer' },
    subjects: [{ kind: 'User', name: 'carl', apiGroup: 'rbac.authorization.k8s.io' }],
  })
  const refused = await send('PUT', `${leases}/none`, lease('none'), { user: { name: 'carl', groups: [] } })
  expect(refused.status).toBe(403)
  expect(refused.body['message']).toContain('User "carl" cannot create resource "leases"')
})

test('of several that apply the same new object at once, one creates it and the others change it', async () => {
  const statuses = await Promise.all(
    [1, 2, 3, 4].map(
      async (one) =>
        (
          await send(
            'PATCH',
            `${leases}/together?fieldManager=m${one}`,
            {
              apiVersion: 'coordination.k8s.io/v1',
              kind: 'Lease',
              metadata: { name: 'together', labels: { [`from-${one}`]: 'yes' } },
            },
            { type: 'application/apply-patch+yaml' },
          )
        ).status,
    ),
  )
  expect(statuses.sort()).toEqual([200, 200, 200, 201])
})
