import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, startApi, tableOf } from './http/kinds/cluster.ts'

const path = '/apis/apiregistration.k8s.io/v1/apiservices'

interface ApiService {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> }
  readonly spec: { readonly groupPriorityMinimum: number; readonly versionPriority: number }
  readonly status: { readonly conditions: readonly object[] }
}

let api: ApiOfKinds
beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const services = async (query = ''): Promise<ApiService[]> =>
  (await api.send('GET', path + query)).body['items'] as ApiService[]

test('every group and version is answered for by this server, and is available', async () => {
  const { body } = await api.send('GET', '/apis')
  const groups = body['groups'] as { name: string; versions: { version: string }[] }[]
  const served = groups
    .filter(({ name }) => name !== 'apiregistration.k8s.io')
    .flatMap(({ name, versions }) => versions.map(({ version }) => `${version}.${name}`))
  const all = await services()
  expect(all.map(({ metadata }) => metadata.name)).toEqual(['v1.', ...served].sort())
  expect(await api.send('GET', `${path}/v2.autoscaling`)).toMatchObject({
    status: 200,
    body: {
      kind: 'APIService',
      metadata: {
        name: 'v2.autoscaling',
        labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' },
      },
      spec: { group: 'autoscaling', version: 'v2', groupPriorityMinimum: 17_500, versionPriority: 30 },
      status: {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            reason: 'Local',
            message: 'Local APIServices are always available',
          },
        ],
      },
    },
  })
  const table = await tableOf(api, `${path}/v1.apps`)
  expect(table.columns).toEqual(['Name', 'Service', 'Available', 'Age'])
  expect(table.cells.slice(0, 3)).toEqual(['v1.apps', 'Local', 'True'])
})

test('groups come in the order of their priorities, in discovery too', async () => {
  const priorities = new Map(
    (await services()).map(({ metadata, spec }) => [metadata.name, spec.groupPriorityMinimum]),
  )
  const { body } = await api.send('GET', '/apis')
  const [first, ...others] = body['groups'] as { name: string; preferredVersion: { version: string } }[]
  expect(first?.name).toBe('apiregistration.k8s.io')
  const numbers = others.map(({ name, preferredVersion }) =>
    priorities.get(`${preferredVersion.version}.${name}`),
  )
  expect(numbers).toEqual([...numbers].sort((a, b) => Number(b) - Number(a)))
})

test('groups of custom resources come and go with their definitions', async () => {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'ships.sea.example.com' },
    spec: {
      group: 'sea.example.com',
      scope: 'Cluster',
      names: { plural: 'ships', kind: 'Ship' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  }
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const made = await api.send('POST', definitions, definition)
  await vi.waitFor(async () =>
    expect(await api.send('GET', `${path}/v1.sea.example.com`)).toMatchObject({
      status: 200,
      body: {
        metadata: {
          labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' },
          creationTimestamp: (made.body['metadata'] as { creationTimestamp: string }).creationTimestamp,
        },
        spec: { groupPriorityMinimum: 1000, versionPriority: 100 },
      },
    }),
  )
  const found = await services('?labelSelector=kube-aggregator.kubernetes.io/automanaged=true')
  expect(found.map(({ metadata }) => metadata.name)).toContain('v1.sea.example.com')
  await api.send('DELETE', `${definitions}/ships.sea.example.com`)
  await vi.waitFor(async () => expect((await api.send('GET', `${path}/v1.sea.example.com`)).status).toBe(404))
})

test('no other server can be put in charge of a group', async () => {
  const { status, body } = await api.send('POST', path, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.other.example.com' },
    spec: { group: 'other.example.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  })
  expect([status, body['reason']]).toEqual([405, 'MethodNotAllowed'])
})
