import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServedCluster, serveCluster } from './served-cluster.ts'

let cluster: ServedCluster
beforeAll(async () => {
  cluster = await serveCluster()
}, 60_000)
afterAll(() => cluster.close())

/** Of each group and version one resource that every cluster must have. */
const resources = {
  'admissionregistration.k8s.io/v1': 'validatingwebhookconfigurations',
  'apiextensions.k8s.io/v1': 'customresourcedefinitions',
  'apiregistration.k8s.io/v1': 'apiservices',
  'apps/v1': 'deployments',
  'authentication.k8s.io/v1': 'tokenreviews',
  'authorization.k8s.io/v1': 'selfsubjectaccessreviews',
  'autoscaling/v1': 'horizontalpodautoscalers',
  'autoscaling/v2': 'horizontalpodautoscalers',
  'batch/v1': 'jobs',
  'certificates.k8s.io/v1': 'certificatesigningrequests',
  'coordination.k8s.io/v1': 'leases',
  'discovery.k8s.io/v1': 'endpointslices',
  'events.k8s.io/v1': 'events',
  'flowcontrol.apiserver.k8s.io/v1': 'flowschemas',
  'networking.k8s.io/v1': 'ingresses',
  'node.k8s.io/v1': 'runtimeclasses',
  'policy/v1': 'poddisruptionbudgets',
  'scheduling.k8s.io/v1': 'priorityclasses',
  'storage.k8s.io/v1': 'csinodes',
}

interface GroupDiscovery {
  readonly metadata: { readonly name?: string }
  readonly versions: readonly {
    readonly version: string
    readonly resources: readonly { readonly resource: string }[]
  }[]
}

test.each(Object.entries(resources))('%s is served, with %s', async (groupVersion, resource) => {
  const list = (await cluster.send('GET', `/apis/${groupVersion}`)).body
  expect(list['groupVersion']).toBe(groupVersion)
  expect((list['resources'] as { name: string }[]).map(({ name }) => name)).toContain(resource)
})

test.each(['v2', 'v2beta1'])('one document in version %s tells of all groups at once', async (version) => {
  const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
  const { body, headers } = await cluster.send('GET', '/apis', { accept })
  const served = (body['items'] as GroupDiscovery[]).flatMap(({ metadata, versions }) =>
    versions.flatMap((one) =>
      one.resources.map(({ resource }) => `${metadata.name ?? ''}/${one.version} ${resource}`),
    ),
  )
  expect(served).toEqual(expect.arrayContaining(Object.entries(resources).map((pair) => pair.join(' '))))
  const core = (await cluster.send('GET', '/api', { accept })).body['items'] as GroupDiscovery[]
  expect(core[0]?.versions[0]?.resources.map(({ resource }) => resource)).toContain('namespaces')
  const known = { 'if-none-match': String(headers.etag) }
  expect((await cluster.send('GET', '/apis', { accept, headers: known })).status).toBe(304)
})

test('every group prefers one of its versions', async () => {
  const { groups } = (await cluster.send('GET', '/apis/')).body as { groups: { name: string }[] }
  for (const { name } of groups) {
    const group = (await cluster.send('GET', `/apis/${name}/`)).body as {
      versions: { groupVersion: string }[]
      preferredVersion: { groupVersion: string }
    }
    expect(group.versions, name).toContainEqual(group.preferredVersion)
  }
})

test('a version is two whole numbers', async () => {
  const { major, minor } = (await cluster.send('GET', '/version')).body
  expect([major, minor]).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)])
})

test('what is not stored has no table', async () => {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { nonResourceAttributes: { path: '/', verb: 'get' } },
  }
  const answer = await cluster.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: review,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  })
  expect(answer.status).toBe(406)
})
