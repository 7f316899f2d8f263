import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type ApiOfKinds, causesOf, makeDefaultAccount, messageOf, startApi } from './cluster.ts'

let api: ApiOfKinds
const pods = '/api/v1/namespaces/default/pods'

beforeAll(async () => {
  api = await startApi()
  await makeDefaultAccount(api)
}, 60_000)
afterAll(() => api.close())

const usual = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '128Mi' } }

async function create(name: string, resources: object = usual): Promise<void> {
  const made = await api.send('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'x', resources }] },
  })
  expect(made.status).toBe(201)
}

const resize = (name: string, container: object, more: object = {}): Promise<Answer> =>
  api.send(
    'PATCH',
    `${pods}/${name}/resize`,
    { spec: { containers: [{ name: 'main', ...container }], ...more } },
    { type: 'application/strategic-merge-patch+json' },
  )

test('CPU and memory change through the subresource, and nothing else does', async () => {
  await create('a')
  const changed = await resize('a', { resources: { requests: { cpu: '150m' } } }, { hostNetwork: true })
  expect(changed.body).toMatchObject({
    kind: 'Pod',
    metadata: { generation: 2 },
    spec: { containers: [{ resources: { ...usual, requests: { cpu: '150m', memory: '64Mi' } } }] },
  })
  expect(changed.body['spec']).not.toHaveProperty('hostNetwork')
  expect(messageOf(await resize('a', { image: 'y' }))).toContain(
    'spec: Forbidden: only cpu and memory resources are mutable',
  )
  const direct = await api.send(
    'PATCH',
    `${pods}/a`,
    { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1m' } } }] } },
    { type: 'application/strategic-merge-patch+json' },
  )
  expect(messageOf(direct)).toContain('pod updates may not change fields other than')
  expect((await api.send('GET', `${pods}/a/resize`)).body).toMatchObject({ kind: 'Pod' })
})

test.each([
  [
    'another resource',
    { limits: { 'ephemeral-storage': '1Gi' } },
    'spec: Forbidden: only cpu and memory resources are mutable',
  ],
  [
    'a removed request',
    { requests: { memory: null } },
    'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
  ],
  [
    'a removed limit',
    { limits: { memory: null } },
    'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
  ],
  [
    'a request above its limit',
    { requests: { cpu: '300m' } },
    'must be less than or equal to cpu limit of 200m',
  ],
  [
    'another class',
    { requests: { cpu: '200m', memory: '128Mi' } },
    'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
  ],
])('refuses %s', async (_what, resources, message) => {
  const name = `no-${Object.keys(resources)[0]}-${JSON.stringify(resources).length}`
  // What has a limit gets its request from there again.
  await create(name, {
    ...usual,
    limits: { cpu: '200m', ...(message.includes('resource requests') ? {} : { memory: '128Mi' }) },
  })
  const refused = await resize(name, { resources })
  expect(refused.status).toBe(422)
  expect(messageOf(refused)).toContain(message)
})

test('refuses other containers', async () => {
  await create('b')
  const { body } = await api.send('GET', `${pods}/b`)
  const put = async (containers: object[]): Promise<Answer> =>
    api.send('PUT', `${pods}/b/resize`, {
      ...body,
      metadata: { name: 'b' },
      spec: { ...(body['spec'] as object), containers },
    })
  const [main] = (body['spec'] as { containers: [object] }).containers
  expect(causesOf(await put([main, { ...main, name: 'more' }]))).toContainEqual([
    'spec.containers',
    'Forbidden: containers may not be added or removed on resize',
  ])
  expect(causesOf(await put([{ ...main, name: 'other' }]))).toEqual([
    ['spec.containers[0].name', 'Forbidden: containers may not be renamed or reordered on resize'],
  ])
})

test('the quota is charged for the difference, and refuses what exceeds it', async () => {
  const quotas = '/api/v1/namespaces/counted/resourcequotas'
  await api.send('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'counted' },
  })
  await api.send('POST', '/api/v1/namespaces/counted/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  })
  await api.send('POST', quotas, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q' },
    spec: { hard: { 'requests.cpu': '1' } },
  })
  await api.send('POST', '/api/v1/namespaces/counted/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'main', image: 'x', resources: { requests: { cpu: '400m' } } }] },
  })
  const ask = (cpu: string): Promise<Answer> =>
    api.send(
      'PATCH',
      '/api/v1/namespaces/counted/pods/p/resize',
      { spec: { containers: [{ name: 'main', resources: { requests: { cpu } } }] } },
      { type: 'application/strategic-merge-patch+json' },
    )
  const used = async (): Promise<unknown> =>
    ((await api.send('GET', `${quotas}/q`)).body['status'] as { used: object }).used
  expect((await ask('900m')).status).toBe(200)
  expect(await used()).toEqual({ 'requests.cpu': '900m' })
  expect(messageOf(await ask('1100m'))).toContain(
    'exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=900m, limited: requests.cpu=1',
  )
})
