import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type ApiOfKinds, causesOf, makeDefaultAccount, messageOf, startApi } from './cluster.ts'

let api: ApiOfKinds
const pods = '/api/v1/namespaces/default/pods'

beforeAll(async () => {
  api = await startApi()
  await makeDefaultAccount(api)
}, 60_000)
afterAll(() => api.close())

const create = (name: string, spec: object = {}): Promise<Answer> =>
  api.send('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
  })

const add = (name: string, containers: object[], more: object = {}): Promise<Answer> =>
  api.send(
    'PATCH',
    `${pods}/${name}/ephemeralcontainers`,
    { spec: { ephemeralContainers: containers, ...more } },
    { type: 'application/strategic-merge-patch+json' },
  )

test('a container is added through the subresource, with its defaults, and nothing else changes', async () => {
  await create('a')
  const added = await add('a', [{ name: 'look', image: 'busybox', command: ['sh'] }], { hostNetwork: true })
  expect(added.status).toBe(200)
  expect(added.body).toMatchObject({
    kind: 'Pod',
    metadata: { name: 'a', generation: 2 },
    spec: {
      ephemeralContainers: [
        {
          name: 'look',
          image: 'busybox',
          command: ['sh'],
          imagePullPolicy: 'Always',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          resources: {},
        },
      ],
    },
  })
  expect(added.body['spec']).not.toHaveProperty('hostNetwork')
  const again = await add('a', [{ name: 'more', image: 'busybox', targetContainerName: 'main' }])
  const names = (again.body['spec'] as { ephemeralContainers: { name: string }[] }).ephemeralContainers
  expect(names.map(({ name }) => name).sort()).toEqual(['look', 'more'])
  expect((await api.send('GET', `${pods}/a/ephemeralcontainers`)).body).toMatchObject({ kind: 'Pod' })
})

test('what was added is neither changed nor removed', async () => {
  await create('b')
  const { body } = await add('b', [{ name: 'look', image: 'busybox' }])
  const changed = await add('b', [{ name: 'look', image: 'other' }])
  expect(changed.status).toBe(422)
  expect(messageOf(changed)).toContain('existing ephemeral containers "look" may not be changed')
  // The scheduler writes the pod's status meanwhile.
  const bare = { ...body, metadata: { name: 'b' } }
  const spec = body['spec'] as object
  const removed = await api.send('PUT', `${pods}/b/ephemeralcontainers`, {
    ...bare,
    spec: { ...spec, ephemeralContainers: [] },
  })
  expect(causesOf(removed)).toEqual([
    [
      'spec.ephemeralContainers',
      expect.stringMatching(/^Forbidden: existing ephemeral containers "look" may not be removed/),
    ],
  ])
  const direct = await api.send('PUT', `${pods}/b`, {
    ...bare,
    spec: { ...spec, ephemeralContainers: [] },
  })
  expect(messageOf(direct)).toContain('pod updates may not change fields other than')
})

test('what serves others has no place in a container for looking', async () => {
  await create('c')
  const refused = await add('c', [
    { name: 'main', image: 'x', ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } },
    { name: 'probe', image: 'x', targetContainerName: 'nobody', livenessProbe: { tcpSocket: { port: 1 } } },
  ])
  expect(causesOf(refused)).toEqual([
    ['spec.ephemeralContainers[0].name', 'Duplicate value: "main"'],
    ['spec.ephemeralContainers[0].ports', 'Forbidden: cannot be set for an Ephemeral Container'],
    ['spec.ephemeralContainers[0].resources', 'Forbidden: cannot be set for an Ephemeral Container'],
    ['spec.ephemeralContainers[1].targetContainerName', 'Not found: "nobody"'],
    ['spec.ephemeralContainers[1].livenessProbe', 'Forbidden: cannot be set for an Ephemeral Container'],
  ])
  const made = await create('d', { ephemeralContainers: [{ name: 'x', image: 'x' }] })
  expect(causesOf(made)).toContainEqual(['spec.ephemeralContainers', 'Forbidden: cannot be set on create'])
})

test('the level of the namespace holds for them too, and the right to add them is one of its own', async () => {
  const other = '/api/v1/namespaces/strict'
  await api.send('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'strict', labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
  })
  await api.send('POST', `${other}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  })
  await api.send('POST', `${other}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'main', image: 'x' }] },
  })
  const body = {
    spec: { ephemeralContainers: [{ name: 'x', image: 'x', securityContext: { privileged: true } }] },
  }
  const type = 'application/strategic-merge-patch+json'
  const refused = await api.send('PATCH', `${other}/pods/p/ephemeralcontainers`, body, { type })
  expect(messageOf(refused)).toContain('violates PodSecurity "baseline:latest": privileged')
  const stranger = await api.send('PATCH', `${pods}/a/ephemeralcontainers`, body, { type, user: 'eve' })
  expect(messageOf(stranger)).toContain('cannot patch resource "pods/ephemeralcontainers"')
})
