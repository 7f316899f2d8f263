import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, causesOf, messageOf, startApi, tableOf } from './cluster.ts'

let api: ApiOfKinds
const group = '/apis/storage.k8s.io/v1'
const drivers = `${group}/csidrivers`
const nodes = `${group}/csinodes`
const attachments = `${group}/volumeattachments`
const capacities = `${group}/namespaces/default/csistoragecapacities`
const merge = { type: 'application/merge-patch+json' }

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const object = (kind: string, name: string, rest: object): object => ({
  apiVersion: 'storage.k8s.io/v1',
  kind,
  metadata: { name },
  ...rest,
})

test('discovery shows the kinds, and a status of attachments alone', async () => {
  const { body } = await api.send('GET', group)
  const { resources } = body as { resources: { name: string; namespaced: boolean }[] }
  expect(resources.map(({ name, namespaced }) => [name, namespaced])).toEqual([
    ['csidrivers', false],
    ['csinodes', false],
    ['csistoragecapacities', true],
    ['storageclasses', false],
    ['volumeattachments', false],
    ['volumeattachments/status', false],
    ['volumeattributesclasses', false],
  ])
})

test('a CSI driver gets its defaults, and keeps how it attaches', async () => {
  const created = await api.send(
    'POST',
    drivers,
    object('CSIDriver', 'acme.io', { spec: { tokenRequests: [{ audience: 'a' }] } }),
  )
  expect(created.body['spec']).toEqual({
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    volumeLifecycleModes: ['Persistent'],
    requiresRepublish: false,
    seLinuxMount: false,
    tokenRequests: [{ audience: 'a' }],
  })
  expect(await tableOf(api, `${drivers}/acme.io`)).toEqual({
    columns: [
      'Name',
      'AttachRequired',
      'PodInfoOnMount',
      'StorageCapacity',
      'TokenRequests',
      'RequiresRepublish',
      'Modes',
      'Age',
    ],
    cells: ['acme.io', true, false, false, 'a', false, 'Persistent', expect.any(String)],
  })
  const changed = await api.send('PATCH', `${drivers}/acme.io`, { spec: { attachRequired: false } }, merge)
  expect(messageOf(changed)).toBe(
    'CSIDriver.storage.k8s.io "acme.io" is invalid: spec.attachedRequired: Invalid value: false: field is immutable',
  )
  const allowed = await api.send('PATCH', `${drivers}/acme.io`, { spec: { requiresRepublish: true } }, merge)
  expect(allowed.status).toBe(200)
  const refused = await api.send(
    'POST',
    drivers,
    object('CSIDriver', 'bad', {
      spec: {
        fsGroupPolicy: 'Some',
        volumeLifecycleModes: ['Short'],
        nodeAllocatableUpdatePeriodSeconds: 1,
        tokenRequests: [{ audience: 'a', expirationSeconds: 1 }, { audience: 'a' }],
      },
    }),
  )
  expect(causesOf(refused)).toEqual([
    [
      'spec.fsGroupPolicy',
      'Unsupported value: "Some": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    ],
    [
      'spec.tokenRequests[0].expirationSeconds',
      'Invalid value: 1: may not specify a duration less than 10 minutes',
    ],
    ['spec.tokenRequests[1].audience', 'Duplicate value: "a"'],
    ['spec.volumeLifecycleModes', 'Unsupported value: "Short": supported values: "Persistent", "Ephemeral"'],
    [
      'spec.nodeAllocatableUpdatePeriodSeconds',
      'Invalid value: 1: must be greater than or equal to 10 seconds',
    ],
  ])
  expect((await api.send('DELETE', `${drivers}/acme.io`)).status).toBe(200)
})

test('a CSI node lists its drivers by name, and of each only what it can hold may change', async () => {
  const bare = await api.send('POST', nodes, object('CSINode', 'bare', { spec: {} }))
  expect(bare.body['spec']).toEqual({ drivers: null })
  const driver = { name: 'acme.io', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 5 } }
  const created = await api.send('POST', nodes, object('CSINode', 'n1', { spec: { drivers: [driver] } }))
  expect(created.status).toBe(201)
  const added = await api.send(
    'PATCH',
    `${nodes}/n1`,
    { spec: { drivers: [{ name: 'other.io', nodeID: 'x' }] } },
    { type: 'application/strategic-merge-patch+json' },
  )
  expect(added.body).toMatchObject({ spec: { drivers: [{ name: 'other.io' }, { name: 'acme.io' }] } })
  expect(await tableOf(api, `${nodes}/n1`)).toEqual({
    columns: ['Name', 'Drivers', 'Age'],
    cells: ['n1', 2, expect.any(String)],
  })
  const recounted = { ...driver, allocatable: { count: 7 } }
  expect((await api.send('PATCH', `${nodes}/n1`, { spec: { drivers: [recounted] } }, merge)).status).toBe(200)
  const renamed = { ...driver, nodeID: 'm' }
  expect((await api.send('PATCH', `${nodes}/n1`, { spec: { drivers: [renamed] } }, merge)).status).toBe(422)
  const refused = await api.send(
    'POST',
    nodes,
    object('CSINode', 'bad', {
      spec: { drivers: [{ name: '', nodeID: '', allocatable: { count: -1 }, topologyKeys: ['a b'] }] },
    }),
  )
  expect(new Set(causesOf(refused).map(([field]) => field))).toEqual(
    new Set([
      'spec.drivers[0].name',
      'spec.drivers[0].nodeID',
      'spec.drivers[0].allocatable.count',
      'spec.drivers[0]',
    ]),
  )
})

test('a volume attachment keeps its spec, and its status is set by its subresource', async () => {
  const spec = { attacher: 'acme.io', nodeName: 'n1', source: { persistentVolumeName: 'pv' } }
  const created = await api.send(
    'POST',
    attachments,
    object('VolumeAttachment', 'a', { spec, status: { attached: true } }),
  )
  expect(created.body).toMatchObject({ spec, status: { attached: false } })
  const attached = await api.send('PATCH', `${attachments}/a/status`, { status: { attached: true } }, merge)
  expect(attached.body).toMatchObject({ status: { attached: true } })
  expect(await tableOf(api, `${attachments}/a`)).toEqual({
    columns: ['Name', 'Attacher', 'PV', 'Node', 'Attached', 'Age'],
    cells: ['a', 'acme.io', 'pv', 'n1', true, expect.any(String)],
  })
  const moved = await api.send('PATCH', `${attachments}/a`, { spec: { nodeName: 'n2' } }, merge)
  expect(causesOf(moved).map(([field]) => field)).toEqual(['spec'])
  const both = { persistentVolumeName: 'pv', inlineVolumeSpec: {} }
  const refused = await api.send(
    'POST',
    attachments,
    object('VolumeAttachment', 'bad', { spec: { attacher: 'Ä', nodeName: 'n', source: both } }),
  )
  expect(causesOf(refused).map(([field]) => field)).toEqual(['spec.source', 'spec.attacher'])
})

test('a CSI storage capacity keeps its class and its topology', async () => {
  const created = await api.send(
    'POST',
    capacities,
    object('CSIStorageCapacity', 'c', {
      storageClassName: 'fast',
      capacity: '10Gi',
      nodeTopology: { matchLabels: { zone: 'a' } },
    }),
  )
  expect(created.status).toBe(201)
  expect(await tableOf(api, `${capacities}/c`)).toEqual({
    columns: ['Name', 'StorageClassName', 'Capacity'],
    cells: ['c', 'fast', '10Gi'],
  })
  expect((await api.send('PATCH', `${capacities}/c`, { capacity: '5Gi' }, merge)).status).toBe(200)
  const refused = await api.send(
    'PATCH',
    `${capacities}/c`,
    { storageClassName: 'slow', capacity: '-1', nodeTopology: null },
    merge,
  )
  expect(causesOf(refused).map(([field]) => field)).toEqual(['capacity', 'nodeTopology', 'storageClassName'])
})

test('a class of volume attributes stays as it is, and there while a claim names it', async () => {
  const classes = `${group}/volumeattributesclasses`
  const claims = '/api/v1/namespaces/default/persistentvolumeclaims'
  const created = await api.send(
    'POST',
    classes,
    object('VolumeAttributesClass', 'fast', { driverName: 'acme.io', parameters: { iops: '5000' } }),
  )
  expect(created.body).toMatchObject({ metadata: { finalizers: ['kubernetes.io/vac-protection'] } })
  expect(await tableOf(api, `${classes}/fast`)).toEqual({
    columns: ['Name', 'DriverName', 'Age'],
    cells: ['fast', 'acme.io', expect.any(String)],
  })
  const changed = await api.send(
    'PATCH',
    `${classes}/fast`,
    { driverName: 'other.io', parameters: { iops: '1' } },
    merge,
  )
  expect(causesOf(changed)).toEqual([
    ['driverName', 'Forbidden: updates to driverName are forbidden.'],
    ['parameters', 'Forbidden: updates to parameters are forbidden.'],
  ])
  const refused = await api.send('POST', classes, object('VolumeAttributesClass', 'bad', { driverName: '' }))
  expect(causesOf(refused)).toEqual([
    ['driverName', 'Required value'],
    ['parameters', 'Required value: must contain at least one key/value pair'],
  ])
  const claim = (volumeAttributesClassName: string): object => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      volumeAttributesClassName,
    },
  })
  const wrong = await api.send('POST', claims, claim('No Name'))
  expect(causesOf(wrong).map(([field]) => field)).toEqual(['spec.volumeAttributesClassName'])
  expect((await api.send('POST', claims, claim('fast'))).status).toBe(201)
  const going = await api.send('DELETE', `${classes}/fast`)
  expect(going.body).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } })
  expect((await api.send('GET', `${classes}/fast`)).status).toBe(200)
  expect((await api.send('DELETE', `${claims}/c`)).status).toBe(200)
  await vi.waitFor(async () => expect((await api.send('GET', `${classes}/fast`)).status).toBe(404), {
    timeout: 10_000,
  })
})
