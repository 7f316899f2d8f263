import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'
import { type Informer, type KubeClient, kinds, startInformer } from '../../../src/kube/index.ts'

let cluster: Cluster
let dataDir: string
let client: KubeClient

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-shared-'))
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
  client = cluster.clientAs({ name: 'admin', groups: ['system:masters'] })
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

const space = { namespace: 'default' }

function informer(name: string, reader = client): Informer<{ data?: Record<string, string> }> {
  const stop = new AbortController()
  const made = startInformer<{ data?: Record<string, string> }>(reader, kinds.configMaps, {
    ...space,
    fieldSelector: `metadata.name=${name}`,
    signal: stop.signal,
  })
  onTestFinished(async () => {
    stop.abort()
    await made.stopped
  })
  return made
}

function create(name: string): Promise<unknown> {
  return client.create(kinds.configMaps, { metadata: { name }, data: { a: 'b' } }, space)
}

function arrival(of: Informer<unknown>, name: string): Promise<void> {
  return new Promise((resolve) => {
    of.subscribe((change) => {
      if (change.type !== 'SYNCED' && change.object.metadata.name === name) resolve()
    })
  })
}

test('readers in this process hold the very same object, whether it came by a list or by an event', async () => {
  const early = [
    informer('same'),
    informer('same', cluster.clientAs({ name: 'b', groups: ['system:masters'] })),
  ]
  await Promise.all(early.map((one) => one.synced))
  const arrivals = early.map((one) => arrival(one, 'same'))
  await create('same')
  await Promise.all(arrivals)
  const late = informer('same')
  await late.synced
  const [first, ...others] = [...early, late].map((one) => one.get({ ...space, name: 'same' }))
  expect(first?.data).toEqual({ a: 'b' })
  for (const other of others) expect(other).toBe(first)
})

test('a shared object cannot be changed by a reader', async () => {
  await create('frozen')
  const maps = informer('frozen')
  await maps.synced
  const map = maps.get({ ...space, name: 'frozen' })
  expect(() => Object.assign(map?.data ?? {}, { a: 'changed' })).toThrow(TypeError)
  expect(() => Object.assign(map?.metadata ?? {}, { labels: {} })).toThrow(TypeError)
})

test('who asks for an object of its own may change it, and nobody else sees that', async () => {
  await create('own')
  const maps = informer('own')
  await maps.synced
  const { items } = await client.list<{ data?: Record<string, string> }>(kinds.configMaps, space)
  for (const item of items) if (item.data) item.data['a'] = 'changed'
  const own = await client.get<{ data?: Record<string, string> }>(kinds.configMaps, { ...space, name: 'own' })
  own.data = {}
  expect(maps.get({ ...space, name: 'own' })?.data).toEqual({ a: 'b' })
})

test('a removed object comes with the version of its removal, as over a network', async () => {
  await create('gone')
  const stop = new AbortController()
  const { metadata } = await client.list(kinds.configMaps, { ...space, shared: true })
  const options = {
    ...space,
    fieldSelector: 'metadata.name=gone',
    ...(metadata.resourceVersion !== undefined && { resourceVersion: metadata.resourceVersion }),
    signal: stop.signal,
  }
  const watches = [true, false].map((shared) =>
    client.watch(kinds.configMaps, { ...options, shared })[Symbol.asyncIterator](),
  )
  const next = Promise.all(watches.map((one) => one.next()))
  await client.delete(kinds.configMaps, { ...space, name: 'gone' })
  const [shared, own] = (await next).map(({ value }) => value)
  stop.abort()
  expect(own).toEqual({
    type: 'DELETED',
    object: { kind: 'ConfigMap', apiVersion: 'v1', ...shared?.object },
  })
  expect(shared?.type).toBe('DELETED')
})

test('a reader that stops ends its watch at once', async () => {
  const stop = new AbortController()
  const events = client.watch(kinds.configMaps, { ...space, shared: true, signal: stop.signal })
  const iterator = events[Symbol.asyncIterator]()
  await iterator.next()
  const ended = (async () => {
    while (!(await iterator.next()).done);
  })()
  stop.abort()
  await ended
})
