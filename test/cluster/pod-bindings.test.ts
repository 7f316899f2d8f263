import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, makeDefaultAccount, messageOf, startApi } from './http/kinds/cluster.ts'

const bindings = '/api/v1/namespaces/default/bindings'
const pods = '/api/v1/namespaces/default/pods'

let api: ApiOfKinds
beforeAll(async () => {
  api = await startApi()
  await makeDefaultAccount(api)
  await vi.waitFor(async () => {
    const made = await api.send('POST', pods, {
      metadata: { name: 'sailor' },
      spec: { schedulerName: 'mine', containers: [{ name: 'c', image: 'x' }] },
    })
    expect(made.status).toBe(201)
  })
}, 60_000)
afterAll(() => api.close())

const binding = (metadata: object): object => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata,
  target: { apiVersion: 'v1', kind: 'Node', name: 'ship' },
})

test('a binding gives the pod that it is named after its node, once', async () => {
  expect(await api.send('POST', bindings, binding({ name: 'sailor' }))).toMatchObject({
    status: 201,
    body: { kind: 'Status', status: 'Success', code: 201 },
  })
  expect((await api.send('GET', `${pods}/sailor`)).body['spec']).toMatchObject({ nodeName: 'ship' })
  const again = await api.send('POST', bindings, binding({ name: 'sailor' }))
  expect([again.status, messageOf(again)]).toEqual([
    409,
    'Operation cannot be fulfilled on pods/binding "sailor": pod sailor is already assigned to node "ship"',
  ])
})

test.each([
  ['no pod', { name: 'nobody' }, 404, 'pods "nobody" not found'],
  ['no name', {}, 400, 'name is required'],
  [
    'another namespace',
    { name: 'sailor', namespace: 'other' },
    400,
    'the namespace of the provided object does not match the namespace sent on the request',
  ],
])('a binding of %s is refused', async (_what, metadata, status, message) => {
  const refused = await api.send('POST', bindings, binding(metadata))
  expect([refused.status, messageOf(refused)]).toEqual([status, message])
})

test('bindings can be made and nothing else', async () => {
  expect((await api.send('GET', bindings)).status).toBe(405)
  const { body } = await api.send('GET', '/api/v1')
  const rows = body['resources'] as { name: string; verbs: string[] }[]
  expect(rows.find(({ name }) => name === 'bindings')?.verbs).toEqual(['create'])
})
