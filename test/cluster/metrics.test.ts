import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ApiOfKinds, messageOf, startApi, tableOf } from './http/kinds/cluster.ts'

const metrics = '/apis/metrics.k8s.io/v1beta1'
const usage = { 'simulated.arena.dev/cpu-usage': '250m', 'simulated.arena.dev/memory-usage': '64Mi' }

let api: ApiOfKinds

function pod(name: string, more: { annotations?: object; containers?: readonly string[] } = {}): object {
  const containers = (more.containers ?? ['main']).map((one) => ({ name: one, image: 'x' }))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name }, annotations: more.annotations ?? {} },
    spec: { nodeName: 'played', containers },
  }
}

async function create(namespace: string, body: object): Promise<void> {
  const made = await api.send('POST', `/api/v1/namespaces/${namespace}/pods`, body)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
}

async function namesOf(path: string, user?: string): Promise<string[]> {
  const { body } = await api.send('GET', path, undefined, user === undefined ? {} : { user })
  return (body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)
}

beforeAll(async () => {
  api = await startApi([
    { name: 'played', role: 'worker', runtime: 'simulated', capacity: { cpu: '4' }, labels: { zone: 'a' } },
    { name: 'real', role: 'worker', runtime: 'process', capacity: { cpu: '4' }, labels: {} },
  ])
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'other' } })
  for (const namespace of ['default', 'other'])
    await vi.waitFor(async () => {
      const { status } = await api.send('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`)
      expect(status).toBe(200)
    })
  await create('default', pod('busy', { annotations: usage, containers: ['main', 'side'] }))
  await create('default', pod('quiet'))
  await create('other', pod('busy', { annotations: usage }))
  // A container is measured from its first second on.
  await vi.waitFor(async () => expect(await namesOf(`${metrics}/pods`)).toEqual(['busy', 'busy']), 10_000)
}, 60_000)

afterAll(() => api.close())

describe('metrics of pods', () => {
  test('tell what each container is said to use, over the window that was measured', async () => {
    const { status, body } = await api.send('GET', `${metrics}/namespaces/default/pods/busy`)
    expect(status).toBe(200)
    expect(body).toEqual({
      kind: 'PodMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: {
        name: 'busy',
        namespace: 'default',
        creationTimestamp: expect.stringMatching(/Z$/),
        labels: { app: 'busy' },
      },
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      window: expect.stringMatching(/^\d+(\.\d{1,3})?s$/),
      containers: [
        { name: 'main', usage: { cpu: '250m', memory: '64Mi' } },
        { name: 'side', usage: { cpu: '250m', memory: '64Mi' } },
      ],
    })
  })

  test('are listed by namespace, labels and fields, as a list without a version', async () => {
    const { body } = await api.send('GET', `${metrics}/namespaces/default/pods`)
    expect(body).toMatchObject({
      kind: 'PodMetricsList',
      metadata: {},
      items: [{ metadata: { name: 'busy' } }],
    })
    expect(body['metadata']).toEqual({})
    expect(await namesOf(`${metrics}/pods?labelSelector=app%3Dquiet`)).toEqual([])
    expect(await namesOf(`${metrics}/pods?labelSelector=app%3Dbusy`)).toHaveLength(2)
    expect(await namesOf(`${metrics}/pods?fieldSelector=metadata.namespace%3Dother`)).toEqual(['busy'])
    expect(await namesOf(`${metrics}/pods?fieldSelector=metadata.name%3Dquiet`)).toEqual([])
    const refused = await api.send('GET', `${metrics}/pods?fieldSelector=spec.nodeName%3Dplayed`)
    expect([refused.status, messageOf(refused)]).toEqual([
      400,
      '"spec.nodeName" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ])
  })

  test('are not found for a pod that is not there, and for one of which nothing can be told', async () => {
    const absent = await api.send('GET', `${metrics}/namespaces/default/pods/absent`)
    expect([absent.status, messageOf(absent)]).toEqual([404, 'pods "absent" not found'])
    const quiet = await api.send('GET', `${metrics}/namespaces/default/pods/quiet`)
    expect([quiet.status, messageOf(quiet)]).toEqual([
      404,
      'podmetrics.metrics.k8s.io "default/quiet" not found',
    ])
  })

  test('are a table of sums', async () => {
    expect(await tableOf(api, `${metrics}/namespaces/default/pods`)).toEqual({
      columns: ['Name', 'cpu', 'memory', 'Window'],
      cells: ['busy', '500m', '128Mi', expect.stringMatching(/s$/)],
    })
  })

  test('can be read and nothing else', async () => {
    for (const [method, path] of [
      ['POST', `${metrics}/namespaces/default/pods`],
      ['PUT', `${metrics}/namespaces/default/pods/busy`],
      ['PATCH', `${metrics}/namespaces/default/pods/busy`],
      ['DELETE', `${metrics}/namespaces/default/pods/busy`],
      ['GET', `${metrics}/pods?watch=true`],
    ] as const) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {}
      expect((await api.send(method, path, body)).status, `${method} ${path}`).toBe(405)
    }
  })
})

describe('metrics of nodes', () => {
  test('are the sums of their pods', async () => {
    const { body } = await api.send('GET', `${metrics}/nodes/played`)
    expect(body).toMatchObject({
      kind: 'NodeMetrics',
      metadata: { name: 'played', labels: { zone: 'a' } },
      usage: { cpu: '750m', memory: '192Mi' },
    })
  })

  test('are there for a node that runs nothing, where all that it runs would be measured', async () => {
    const { body } = await api.send('GET', `${metrics}/nodes/real`)
    expect(body).toMatchObject({ window: '15s', usage: { cpu: '0', memory: '0' } })
    expect(await namesOf(`${metrics}/nodes?labelSelector=zone%3Da`)).toEqual(['played'])
  })

  test('are not found for a node that this cluster does not play', async () => {
    await api.send('POST', '/api/v1/nodes', { metadata: { name: 'outside' } })
    const outside = await api.send('GET', `${metrics}/nodes/outside`)
    expect([outside.status, messageOf(outside)]).toEqual([
      404,
      'nodemetrics.metrics.k8s.io "outside" not found',
    ])
    const absent = await api.send('GET', `${metrics}/nodes/absent`)
    expect([absent.status, messageOf(absent)]).toEqual([404, 'nodes "absent" not found'])
    expect(await namesOf(`${metrics}/nodes`)).toEqual(['played', 'real'])
  })
})

test('who may view a namespace reads the metrics of its pods, and of no other, and of no node', async () => {
  await api.send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    metadata: { name: 'look' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
  })
  expect(await namesOf(`${metrics}/namespaces/default/pods`, 'eve')).toEqual(['busy'])
  for (const path of ['namespaces/other/pods', 'namespaces/other/pods/busy', 'pods', 'nodes', 'nodes/real']) {
    const { status } = await api.send('GET', `${metrics}/${path}`, undefined, { user: 'eve' })
    expect(status, path).toBe(403)
  }
})

test('discovery and OpenAPI know the group, after all others', async () => {
  const { body } = await api.send('GET', metrics)
  expect(body['resources']).toEqual([
    { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
    { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
  ])
  const groups = (await api.send('GET', '/apis')).body['groups'] as { name: string }[]
  expect(groups.at(-1)?.name).toBe('metrics.k8s.io')
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const whole = await api.send('GET', '/apis', undefined, { accept })
  expect(JSON.stringify(whole.body)).toContain('"responseKind":{"group":"metrics.k8s.io","version":"v1beta1"')
  const { body: document } = await api.send('GET', '/openapi/v3/apis/metrics.k8s.io/v1beta1')
  expect(Object.keys(document['paths'] as object)).toContain(
    '/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/{name}',
  )
  expect(JSON.stringify(document)).toContain('io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics')
})
