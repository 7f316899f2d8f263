import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, mergePatch, type ServedCluster, serveCluster } from './served-cluster.ts'

let cluster: ServedCluster
beforeAll(async () => {
  const capacity = { cpu: '4', pods: '20' }
  cluster = await serveCluster([
    { name: 'one', role: 'worker', runtime: 'simulated', capacity, labels: {} },
    { name: 'two', role: 'worker', runtime: 'simulated', capacity, labels: {} },
  ])
}, 60_000)
afterAll(() => cluster.close())

const pathOf = (name: string): string => `/api/v1/namespaces/${name}`

test('pods may run on every worker', async () => {
  await eventually(async () => {
    const { items } = await cluster.read('/api/v1/nodes')
    const open = items.filter(({ spec }) => {
      const { taints, unschedulable } = spec as { taints?: unknown[]; unschedulable?: boolean }
      return !taints && !unschedulable
    })
    expect(open).toHaveLength(2)
  })
})

test('a namespace takes its running pods and its services with it, and another one of its name has neither', async () => {
  await cluster.namespace('short')
  const path = pathOf('short')
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  expect((await cluster.send('POST', `${path}/pods`, { body: pod })).status).toBe(201)
  const service = { metadata: { name: 's' }, spec: { selector: { a: 'b' }, ports: [{ port: 80 }] } }
  expect((await cluster.send('POST', `${path}/services`, { body: service })).status).toBe(201)
  await eventually(async () =>
    expect((await cluster.read(`${path}/pods/p`))['status']).toMatchObject({ phase: 'Running' }),
  )
  const deleted = await cluster.send('DELETE', path)
  expect([deleted.status, deleted.body['status']]).toEqual([200, { phase: 'Terminating' }])
  await eventually(async () => expect((await cluster.send('GET', path)).status).toBe(404))
  await cluster.namespace('short')
  for (const gone of ['pods/p', 'services/s'])
    expect((await cluster.send('GET', `${path}/${gone}`)).status, gone).toBe(404)
})

test('a namespace is labelled, given conditions and finalizers, each through the part that is meant for it', async () => {
  await cluster.namespace('changed')
  const path = pathOf('changed')
  const label = { body: { metadata: { labels: { testLabel: 'testValue' } } } }
  const labelled = await cluster.send('PATCH', path, {
    ...label,
    type: 'application/strategic-merge-patch+json',
  })
  expect(labelled.body).toMatchObject({
    metadata: { labels: { testLabel: 'testValue', 'kubernetes.io/metadata.name': 'changed' } },
    status: { phase: 'Active' },
  })
  const condition = { type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'patched' }
  const status = await cluster.send('PATCH', `${path}/status`, {
    body: { metadata: { annotations: { a: 'b' } }, status: { conditions: [condition] } },
    ...mergePatch,
  })
  expect(status.body).toMatchObject({
    metadata: { annotations: { a: 'b' } },
    status: { conditions: [condition] },
  })
  for (const finalizers of [['kubernetes', 'e2e.example.com/fake'], ['kubernetes']]) {
    const body = { ...(await cluster.read(path)), spec: { finalizers } }
    const finalized = await cluster.send('PUT', `${path}/finalize`, { body })
    expect(new Set((finalized.body['spec'] as { finalizers: string[] }).finalizers)).toEqual(
      new Set(finalizers),
    )
  }
})
