import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, causesOf, messageOf, startApi, tableOf } from './cluster.ts'

let api: ApiOfKinds
const group = '/apis/networking.k8s.io/v1'
const ranges = `${group}/servicecidrs`
const addresses = `${group}/ipaddresses`
const services = '/api/v1/namespaces/default/services'
const merge = { type: 'application/merge-patch+json' }
const patience = { timeout: 10_000 }

beforeAll(async () => {
  api = await startApi()
  // They come after the start, so that it does not wait for them.
  await vi.waitFor(
    async () => expect((await api.send('GET', `${addresses}/10.96.0.1`)).status).toBe(200),
    patience,
  )
}, 60_000)
afterAll(() => api.close())

const object = (kind: string, name: string, spec: object, labels = {}): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind,
  metadata: { name, labels },
  spec,
})
const range = (name: string, ...cidrs: string[]): object => object('ServiceCIDR', name, { cidrs })
const service = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
})
const parentRef = { group: '', resource: 'services', namespace: 'default', name: 'other' }

async function isReady(name: string, status: string): Promise<void> {
  await vi.waitFor(async () => {
    const { body } = await api.send('GET', `${ranges}/${name}`)
    expect(body['status']).toMatchObject({ conditions: [{ type: 'Ready', status }] })
  }, patience)
}

test('every cluster has a range, which is protected and ready, and an address for its own service', async () => {
  const { body } = await api.send('GET', `${ranges}/kubernetes`)
  expect(body).toMatchObject({
    metadata: { finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    spec: { cidrs: ['10.96.0.0/12'] },
    status: { conditions: [{ type: 'Ready', status: 'True', message: 'Kubernetes Service CIDR is ready' }] },
  })
  expect(await tableOf(api, ranges)).toEqual({
    columns: ['Name', 'CIDRs', 'Age'],
    cells: ['kubernetes', '10.96.0.0/12', expect.any(String)],
  })
  expect(await tableOf(api, `${addresses}/10.96.0.1`)).toEqual({
    columns: ['Name', 'ParentRef', 'Age'],
    cells: ['10.96.0.1', 'services/default/kubernetes', expect.any(String)],
  })
})

test('the address of a service is an object as long as the service is there', async () => {
  const made = await api.send('POST', services, service('web'))
  const { clusterIP } = made.body['spec'] as { clusterIP: string }
  const path = `${addresses}/${clusterIP}`
  const isThere = async (status: number): Promise<void> => {
    await vi.waitFor(async () => expect((await api.send('GET', path)).status).toBe(status), patience)
  }
  await isThere(200)
  expect((await api.send('GET', path)).body).toMatchObject({
    metadata: {
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
  })
  const { uid } = (await api.send('GET', path)).body['metadata'] as { uid: string }
  expect((await api.send('DELETE', path)).status).toBe(200)
  await vi.waitFor(async () => {
    const { body } = await api.send('GET', path)
    expect((body['metadata'] as { uid?: string }).uid).not.toBe(uid)
    expect(body['kind']).toBe('IPAddress')
  }, patience)
  expect((await api.send('DELETE', `${services}/web`)).status).toBe(200)
  await isThere(404)
})

test('an address that somebody keeps is given to no service, and stays theirs', async () => {
  const kept = object('IPAddress', '10.96.5.5', { parentRef }, { test: 'kept' })
  expect((await api.send('POST', addresses, kept)).status).toBe(201)
  const refused = await api.send('POST', services, service('late', { clusterIP: '10.96.5.5' }))
  expect(messageOf(refused)).toContain('failed to allocate IP 10.96.5.5: provided IP is already allocated')
  const moved = await api.send(
    'PATCH',
    `${addresses}/10.96.5.5`,
    { spec: { parentRef: { name: 'x' } } },
    merge,
  )
  expect(causesOf(moved).map(([field]) => field)).toEqual(['spec.parentRef'])
  const gone = await api.send('DELETE', `${addresses}?labelSelector=test=kept`)
  expect(gone.body['items']).toHaveLength(1)
  expect((await api.send('POST', services, service('late', { clusterIP: '10.96.5.5' }))).status).toBe(201)
})

test('an address must be one, in the form in which all write it, and say what has it', async () => {
  const wrong = async (name: string, spec: object): Promise<unknown> =>
    causesOf(await api.send('POST', addresses, object('IPAddress', name, spec)))
  expect(await wrong('not-one', {})).toEqual([
    [
      'metadata.name',
      'Invalid value: "not-one": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    ['spec.parentRef', 'Required value'],
  ])
  expect(await wrong('2001:DB8:0::1', { parentRef: { group: 'A', namespace: 'a/b' } })).toEqual([
    ['metadata.name', 'Invalid value: "2001:DB8:0::1": must be in canonical form ("2001:db8::1")'],
    ['spec.parentRef.group', expect.stringContaining('Invalid value: "A"')],
    ['spec.parentRef.resource', 'Required value'],
    ['spec.parentRef.name', 'Required value'],
    ['spec.parentRef.namespace', expect.stringContaining('Invalid value: "a/b"')],
  ])
})

test('a range must be one, of each family at most, and what it has stays', async () => {
  const wrong = async (...cidrs: string[]): Promise<unknown> =>
    causesOf(await api.send('POST', ranges, range('bad', ...cidrs)))
  expect(await wrong()).toEqual([['spec.cidrs', 'Required value: at least one CIDR required']])
  expect(await wrong('10.1.0.0/16', '10.2.0.0/16')).toEqual([
    [
      'spec.cidrs',
      'Invalid value: {"cidrs":["10.1.0.0/16","10.2.0.0/16"]}: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ])
  expect(await wrong('10.1.0.1/16')).toEqual([
    ['spec.cidrs[0]', 'Invalid value: "10.1.0.1/16": must not have bits set beyond the prefix length'],
  ])
  expect((await api.send('POST', ranges, range('both', '10.1.0.0/16'))).status).toBe(201)
  const changed = await api.send('PATCH', `${ranges}/both`, { spec: { cidrs: ['10.2.0.0/16'] } }, merge)
  expect(causesOf(changed)).toEqual([['spec.cidrs[0]', 'Invalid value: "10.2.0.0/16": field is immutable']])
  const cidrs = ['10.1.0.0/16', '2001:db8::/64']
  expect((await api.send('PATCH', `${ranges}/both`, { spec: { cidrs } }, merge)).status).toBe(200)
  expect((await api.send('DELETE', `${ranges}/both`)).status).toBe(200)
  await vi.waitFor(async () => expect((await api.send('GET', `${ranges}/both`)).status).toBe(404), patience)
})

test('services get addresses of further ranges, which stay until nobody needs them', async () => {
  const spec = { clusterIP: '10.200.0.9' }
  const refused = await api.send('POST', services, service('far', spec))
  expect(messageOf(refused)).toContain(
    'failed to allocate IP 10.200.0.9: the provided network does not match the current range',
  )
  expect((await api.send('POST', ranges, range('far', '10.200.0.0/24'))).status).toBe(201)
  await isReady('far', 'True')
  expect((await api.send('POST', services, service('far', spec))).status).toBe(201)
  const all = await api.send('POST', services, service('all', { clusterIP: '10.200.0.255' }))
  expect(messageOf(all)).toContain('The range of valid IPs is 10.200.0.0/24')
  const going = await api.send('DELETE', `${ranges}/far`)
  expect(going.body).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } })
  await isReady('far', 'False')
  const { body } = await api.send('GET', `${ranges}/far`)
  expect(body['status']).toMatchObject({
    conditions: [
      {
        reason: 'Terminating',
        message:
          'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
      },
    ],
  })
  // A range that goes gives no more addresses, and who has one keeps it.
  const next = await api.send('POST', services, service('next', { clusterIP: '10.200.0.10' }))
  expect(next.status).toBe(422)
  const labelled = await api.send('PATCH', `${services}/far`, { metadata: { labels: { a: 'b' } } }, merge)
  expect(labelled.status).toBe(200)
  expect((await api.send('DELETE', `${services}/far`)).status).toBe(200)
  await vi.waitFor(async () => expect((await api.send('GET', `${ranges}/far`)).status).toBe(404), patience)
})
