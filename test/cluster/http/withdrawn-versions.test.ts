import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, startApi } from './kinds/cluster.ts'

let api: ApiOfKinds

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const objects = (version: string): string => `/apis/example.com/${version}/namespaces/default/things`

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const versionOf = (name: string, served: boolean): object => ({
  name,
  served,
  storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
})

test('a watch ends when the version or the whole kind is no longer served', async () => {
  const definition = {
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [versionOf('v1', true), versionOf('v2', true)],
    },
  }
  await api.send('POST', crds, definition)
  await vi.waitFor(async () => expect((await api.send('GET', objects('v2'))).status).toBe(200))
  const ended: string[] = []
  const watch = async (version: string): Promise<void> => {
    await api.lines(`${objects(version)}?watch=1`)
    ended.push(version)
  }
  const [first, second] = [watch('v1'), watch('v2')]
  const versions = [versionOf('v1', true), versionOf('v2', false)]
  await api.send(
    'PATCH',
    `${crds}/things.example.com`,
    { spec: { versions } },
    { type: 'application/merge-patch+json' },
  )
  await second
  expect(ended).toEqual(['v2'])
  await api.send('DELETE', `${crds}/things.example.com`)
  await first
  expect(ended).toEqual(['v2', 'v1'])
})
