import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiOfKinds, type Answer, makeDefaultAccount, messageOf, startApi, tableOf } from './cluster.ts'

let api: ApiOfKinds
const classes = '/apis/node.k8s.io/v1/runtimeclasses'
const pods = '/api/v1/namespaces/default/pods'

beforeAll(async () => {
  api = await startApi()
  await makeDefaultAccount(api)
}, 60_000)
afterAll(() => api.close())

const runtimeClass = (name: string, rest: object = {}): object => ({
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name },
  handler: 'fast',
  ...rest,
})

const createPod = (name: string, spec: object): Promise<Answer> =>
  api.send('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
  })

test('a runtime class is created, listed, changed, patched and deleted, and its handler stays', async () => {
  expect((await api.send('POST', classes, runtimeClass('plain'))).status).toBe(201)
  expect(await tableOf(api, `${classes}/plain`)).toEqual({
    columns: ['Name', 'Handler', 'Age'],
    cells: ['plain', 'fast', expect.any(String)],
  })
  const patched = await api.send(
    'PATCH',
    `${classes}/plain`,
    { metadata: { labels: { a: 'b' } } },
    { type: 'application/merge-patch+json' },
  )
  expect(patched.body).toMatchObject({ metadata: { labels: { a: 'b' } }, handler: 'fast' })
  const { metadata } = patched.body
  const changed = await api.send(
    'PUT',
    `${classes}/plain`,
    runtimeClass('plain', { handler: 'slow', metadata }),
  )
  expect(messageOf(changed)).toBe(
    'RuntimeClass.node.k8s.io "plain" is invalid: handler: Invalid value: "slow": field is immutable',
  )
  expect((await api.send('DELETE', `${classes}/plain`)).status).toBe(200)
  expect((await api.send('GET', `${classes}/plain`)).status).toBe(404)
})

test('a PUT of an absent runtime class creates it', async () => {
  expect((await api.send('PUT', `${classes}/put`, runtimeClass('put'))).status).toBe(201)
})

test('a runtime class with a bad handler, overhead or toleration is invalid', async () => {
  const refused = await api.send(
    'POST',
    classes,
    runtimeClass('bad', {
      handler: 'Not_A_Label',
      overhead: { podFixed: { cpu: '-1' } },
      scheduling: { nodeSelector: { 'a b': 'c' }, tolerations: [{ operator: 'Equal', value: 'x' }] },
    }),
  )
  expect(refused.status).toBe(422)
  const { causes } = refused.body['details'] as { causes: { field: string }[] }
  expect(causes.map(({ field }) => field)).toEqual([
    'handler',
    'overhead.limits[cpu]',
    'scheduling.nodeSelector',
    'scheduling.tolerations[0].operator',
  ])
})

test('a pod that names an unknown runtime class is refused', async () => {
  const refused = await createPod('unknown', { runtimeClassName: 'ghost' })
  expect(refused.status).toBe(403)
  expect(messageOf(refused)).toBe('pods "unknown" is forbidden: pod rejected: RuntimeClass "ghost" not found')
})

test('a pod gets the overhead of its class, and may not say another', async () => {
  await api.send('POST', classes, runtimeClass('heavy', { overhead: { podFixed: { cpu: '250m' } } }))
  const created = await createPod('heavy', { runtimeClassName: 'heavy' })
  expect(created.body).toMatchObject({ spec: { overhead: { cpu: '250m' } } })
  expect((await createPod('same', { runtimeClassName: 'heavy', overhead: { cpu: '0.25' } })).status).toBe(201)
  const other = await createPod('other', { runtimeClassName: 'heavy', overhead: { cpu: '1' } })
  expect(messageOf(other)).toBe(
    `pods "other" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead`,
  )
  const alone = await createPod('alone', { overhead: { cpu: '1' } })
  expect(messageOf(alone)).toBe(
    'pods "alone" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
  )
})

test('a pod gets the node selector and the tolerations of its class, and may not contradict them', async () => {
  const toleration = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }
  await api.send(
    'POST',
    classes,
    runtimeClass('placed', { scheduling: { nodeSelector: { zone: 'a' }, tolerations: [toleration] } }),
  )
  const created = await createPod('placed', {
    runtimeClassName: 'placed',
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' }],
  })
  const { spec } = created.body as { spec: { nodeSelector: object; tolerations: { key: string }[] } }
  expect(spec.nodeSelector).toEqual({ disk: 'ssd', zone: 'a' })
  expect(spec.tolerations.filter(({ key }) => key === 'gpu')).toEqual([toleration])
  const refused = await createPod('elsewhere', { runtimeClassName: 'placed', nodeSelector: { zone: 'b' } })
  expect(messageOf(refused)).toBe(
    'pods "elsewhere" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[zone] = a; pod.spec.nodeSelector[zone] = b',
  )
})
