import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, startApi, tableOf } from './kinds/cluster.ts'

let api: ApiOfKinds
const deployments = '/apis/apps/v1/namespaces/default/deployments'

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const spec = {
  replicas: 1,
  selector: { matchLabels: { a: 'b' } },
  template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
}
const merge = { type: 'application/merge-patch+json' }
const apply = { type: 'application/apply-patch+yaml' }

test('refuses a scale that does not say of what it is', async () => {
  await api.send('POST', deployments, { metadata: { name: 'scaled' }, spec })
  const scale = `${deployments}/scaled/scale`
  for (const metadata of [undefined, {}])
    expect(await api.send('PUT', scale, { metadata, spec: { replicas: 1 } })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('undeterminable: name must be provided') },
    })
  const named = { metadata: { name: 'scaled' }, spec: { replicas: 1 } }
  expect((await api.send('PUT', scale, named)).status).toBe(200)
})

test('whoever scales owns the number through the scale, and is in the way of others who apply it', async () => {
  const one = `${deployments}/owned`
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'owned' }, spec }
  const owners = async (): Promise<unknown[]> => {
    const { body } = await api.send('GET', one)
    const { managedFields } = body['metadata'] as { managedFields: Record<string, unknown>[] }
    return managedFields
      .filter((entry) => JSON.stringify(entry['fieldsV1']).includes('"f:replicas":{}'))
      .filter((entry) => entry['subresource'] !== 'status')
      .map(({ manager, operation, subresource }) => [manager, operation, subresource])
  }
  await api.send('PATCH', `${one}?fieldManager=first`, object, apply)
  expect(await owners()).toEqual([['first', 'Apply', undefined]])
  await api.send('PATCH', `${one}/scale?fieldManager=second`, { spec: { replicas: 2 } }, merge)
  expect(await owners()).toEqual([['second', 'Update', 'scale']])
  expect((await api.send('PATCH', `${one}?fieldManager=first`, object, apply)).body['message']).toBe(
    'Apply failed with 1 conflict: conflict with "second" with subresource "scale" using apps/v1: .spec.replicas',
  )
  const scale = {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'owned' },
    spec: { replicas: 3 },
  }
  const third = `${one}/scale?fieldManager=third`
  expect((await api.send('PATCH', third, scale, apply)).body['message']).toBe(
    'Apply failed with 1 conflict: conflict with "second" with subresource "scale" using apps/v1: .spec.replicas',
  )
  expect(await api.send('PATCH', `${third}&force=true`, scale, apply)).toMatchObject({
    status: 200,
    body: { spec: { replicas: 3 } },
  })
  expect(await owners()).toEqual([['third', 'Apply', 'scale']])
})

test('a scale is shown as a table of its own', async () => {
  expect(await tableOf(api, `${deployments}/scaled/scale`)).toEqual({
    columns: ['Name', 'Desired', 'Available', 'Age'],
    cells: ['scaled', expect.any(Number), 0, expect.stringMatching(/s$/)],
  })
})

test('a custom resource that does not say how many it wants has no scale to read, and may be given one', async () => {
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  }
  await api.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'crews.sea.example.com' },
    spec: {
      group: 'sea.example.com',
      scope: 'Namespaced',
      names: { plural: 'crews', kind: 'Crew' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            scale: { specReplicasPath: '.spec.sailors', statusReplicasPath: '.status.sailors' },
          },
        },
      ],
    },
  })
  const crews = '/apis/sea.example.com/v1/namespaces/default/crews'
  const crew = { apiVersion: 'sea.example.com/v1', kind: 'Crew', metadata: { name: 'new' }, spec: {} }
  await vi.waitFor(async () => expect((await api.send('POST', crews, crew)).status).toBe(201))
  expect(await api.send('GET', `${crews}/new/scale`)).toMatchObject({
    status: 500,
    body: { message: 'Internal error occurred: the spec replicas field ".spec.sailors" does not exist' },
  })
  const given = await api.send('PATCH', `${crews}/new/scale`, { spec: { replicas: 2 } }, merge)
  expect([given.status, given.body['spec']]).toEqual([200, { replicas: 2 }])
})
