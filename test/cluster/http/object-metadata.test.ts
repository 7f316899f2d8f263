import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, startApi } from './kinds/cluster.ts'

let api: ApiOfKinds
const configMaps = '/api/v1/namespaces/default/configmaps'

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const merge = { type: 'application/merge-patch+json' }
const apply = { type: 'application/apply-patch+yaml' }

test('refuses to replace or create by name an object that does not say its name', async () => {
  const why = 'the name of the object (nameless based on URL) was undeterminable: name must be provided'
  const body = { apiVersion: 'v1', kind: 'ConfigMap', data: {} }
  const named = { ...body, metadata: { name: 'nameless' } }
  const applied = await api.send('PATCH', `${configMaps}/nameless?fieldManager=x`, body, apply)
  expect(applied).toMatchObject({ status: 400, body: { message: why } })
  expect((await api.send('POST', configMaps, named)).status).toBe(201)
  expect(await api.send('PUT', `${configMaps}/nameless`, body)).toMatchObject({
    status: 400,
    body: { message: why },
  })
})

test('says that a job leaves its pods behind where its deletion does not say what becomes of them', async () => {
  const jobs = '/apis/batch/v1/namespaces/default/jobs'
  const spec = { restartPolicy: 'Never', containers: [{ name: 'm', image: 'busybox' }] }
  const metadata = { name: 'left', labels: { kept: 'no' } }
  await api.send('POST', jobs, { metadata, spec: { suspend: true, template: { spec } } })
  const why = 'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background'
  expect((await api.send('DELETE', `${jobs}?labelSelector=kept%3Dno&dryRun=All`)).warning).toContain(why)
  const answers = await Promise.all(
    ['Orphan', 'Background'].map((policy) =>
      api.send('DELETE', `${jobs}/left?dryRun=All&propagationPolicy=${policy}`),
    ),
  )
  expect(answers.map(({ warning }) => warning)).toEqual(['', ''])
  const deleted = await api.send('DELETE', `${jobs}/left`)
  expect(deleted.warning).toContain(why)
})

test('takes an owner that is named twice once, and says so', async () => {
  const owner = { apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: 'u-1' }
  const other = { ...owner, uid: 'u-2' }
  const metadata = { name: 'owned-twice', ownerReferences: [owner, other, owner] }
  const made = await api.send('POST', `${configMaps}?dryRun=All`, { metadata })
  expect(made.body['metadata']).toMatchObject({ ownerReferences: [owner, other] })
  expect(made.warning).toContain(
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+',
  )
  expect(made.warning).toContain('duplicate UID(s) observed: u-1')
  await api.send('POST', configMaps, { metadata: { name: 'owned-twice' } })
  const patched = await api.send('PATCH', `${configMaps}/owned-twice?dryRun=All`, { metadata }, merge)
  expect(patched.body['metadata']).toMatchObject({ ownerReferences: [owner, other] })
  expect(patched.warning).toContain('contains duplicate entries after mutating admission happens')
})

test('shows at a dry run of a delete what would be left of the object', async () => {
  const metadata = { name: 'held', finalizers: ['example.com/hold'] }
  await api.send('POST', configMaps, { metadata })
  const { body } = await api.send('DELETE', `${configMaps}/held?dryRun=All&propagationPolicy=Foreground`)
  expect(body).toMatchObject({
    kind: 'ConfigMap',
    metadata: {
      finalizers: ['example.com/hold', 'foregroundDeletion'],
      deletionTimestamp: expect.any(String),
      deletionGracePeriodSeconds: 0,
    },
  })
  const { body: still } = await api.send('GET', `${configMaps}/held`)
  expect(still['metadata']).not.toHaveProperty('deletionTimestamp')
})

test('forgets what a new object says of its past, and lets nobody own it', async () => {
  const metadata = {
    name: 'reborn',
    uid: 'u',
    selfLink: '/x',
    creationTimestamp: '2001-01-01T00:00:00Z',
    deletionTimestamp: '2001-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 5,
  }
  const { body } = await api.send('POST', configMaps, { metadata })
  expect(Object.keys(body['metadata'] as object).sort()).toEqual([
    'creationTimestamp',
    'name',
    'namespace',
    'resourceVersion',
    'uid',
  ])
  expect(body['metadata']).not.toMatchObject({ uid: 'u' })
})

test.each([
  ['0', 200, undefined],
  ['1', 409, expect.stringContaining('the object has been modified')],
  ['abc', 500, 'strconv.ParseUint: parsing "abc": invalid syntax'],
])('an update that names version %s is answered with %i', async (resourceVersion, status, message) => {
  await api.send('POST', configMaps, { metadata: { name: 'versioned' } })
  const body = { metadata: { name: 'versioned', resourceVersion } }
  const answer = await api.send('PUT', `${configMaps}/versioned`, body)
  expect(answer.status).toBe(status)
  if (message !== undefined) expect(answer.body['message']).toEqual(message)
})

test('takes nothing for an object of another name, whatever the path is for', async () => {
  const finalize = '/api/v1/namespaces/default/finalize'
  expect(await api.send('PUT', finalize, { metadata: { name: 'other' }, spec: {} })).toMatchObject({
    status: 400,
    body: { message: 'the name of the object (other) does not match the name on the URL (default)' },
  })
  for (const metadata of [{}, { name: 'other' }])
    expect(await api.send('POST', '/api/v1/namespaces/default/pods/x/eviction', { metadata })).toMatchObject({
      status: 400,
      body: { message: 'name in URL does not match name in Eviction object' },
    })
})

test('an eviction that is only tried leaves the pod alone', async () => {
  const pods = '/api/v1/namespaces/default/pods'
  await vi.waitFor(async () =>
    expect((await api.send('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status).toBe(200),
  )
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  await api.send('POST', pods, { metadata: { name: 'stays' }, spec })
  const evicted = { metadata: { name: 'stays' }, deleteOptions: { dryRun: ['All'] } }
  expect((await api.send('POST', `${pods}/stays/eviction`, evicted)).status).toBe(201)
  const { status, body } = await api.send('GET', `${pods}/stays`)
  expect(status).toBe(200)
  expect(JSON.stringify(body)).not.toContain('DisruptionTarget')
  await api.send('POST', `${pods}/stays/eviction`, { metadata: { name: 'stays' } })
  expect((await api.send('GET', `${pods}/stays`)).status).toBe(404)
})
