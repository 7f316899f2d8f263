import { afterAll, beforeAll, expect, test } from 'vitest'
import { mergePatch, type ServedCluster, serveCluster, type WatchEvent } from './served-cluster.ts'

let cluster: ServedCluster
beforeAll(async () => {
  cluster = await serveCluster()
  await cluster.namespace('watched')
}, 60_000)
afterAll(() => cluster.close())

const path = '/api/v1/namespaces/watched/configmaps'
const watchOf = (selector: string, from: string): string =>
  `${path}?watch=1&labelSelector=${encodeURIComponent(selector)}&resourceVersion=${from}`
const now = async (): Promise<string> => (await cluster.read(path)).metadata.resourceVersion

async function write(name: string, labels: object, data: object = {}): Promise<void> {
  const metadata = { name, labels }
  const put = await cluster.send('PUT', `${path}/${name}`, { body: { metadata, data } })
  if (put.status === 404) await cluster.send('POST', path, { body: { metadata, data } })
}
const remove = (name: string): Promise<unknown> => cluster.send('DELETE', `${path}/${name}`)

async function take(stream: AsyncGenerator<WatchEvent, void>, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = []
  for await (const event of stream) if (events.push(event) === count) break
  return events
}
const told = (events: readonly WatchEvent[]): unknown[] =>
  events.map(({ type, object }) => [type, object.metadata.name, object['data'] ?? {}])

test('a watcher hears of what its selector takes in and of nothing else', async () => {
  const from = await now()
  await write('a', { team: 'a' })
  await write('b', { team: 'b' })
  await write('a', { team: 'a' }, { step: '1' })
  await remove('b')
  await remove('a')
  const [ofA, ofB, ofBoth] = await Promise.all([
    take(cluster.watch(watchOf('team=a', from)), 3),
    take(cluster.watch(watchOf('team=b', from)), 2),
    take(cluster.watch(watchOf('team in (a,b)', from)), 5),
  ])
  expect(told(ofA)).toEqual([
    ['ADDED', 'a', {}],
    ['MODIFIED', 'a', { step: '1' }],
    ['DELETED', 'a', { step: '1' }],
  ])
  expect(ofB.map(({ type }) => type)).toEqual(['ADDED', 'DELETED'])
  expect(ofBoth.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
    'ADDED a',
    'ADDED b',
    'MODIFIED a',
    'DELETED b',
    'DELETED a',
  ])
})

test('what leaves a selector is deleted to its watcher, as it was, and added when it comes back', async () => {
  const from = await now()
  await write('mover', { here: 'yes' }, { step: '1' })
  await write('mover', { here: 'no' }, { step: '2' })
  const left = (await cluster.read(`${path}/mover`)).metadata.resourceVersion
  await write('mover', { here: 'no' }, { step: '3' })
  await write('mover', { here: 'yes' }, { step: '4' })
  const events = await take(cluster.watch(watchOf('here=yes', from)), 3)
  expect(told(events)).toEqual([
    ['ADDED', 'mover', { step: '1' }],
    ['DELETED', 'mover', { step: '1' }],
    ['ADDED', 'mover', { step: '4' }],
  ])
  expect(events[1]?.object.metadata.resourceVersion).toBe(left)
})

test('a watch goes on from the last version that another one has seen', async () => {
  const from = await now()
  for (const step of ['1', '2', '3']) await write('steps', { steps: '' }, { step })
  await remove('steps')
  const first = await take(cluster.watch(watchOf('steps', from)), 2)
  const seen = first[1]?.object.metadata.resourceVersion ?? ''
  expect(told(await take(cluster.watch(watchOf('steps', seen)), 2))).toEqual([
    ['MODIFIED', 'steps', { step: '3' }],
    ['DELETED', 'steps', { step: '3' }],
  ])
})

test('watches that begin at any event of another one go on with the same events', async () => {
  const from = await now()
  for (let step = 0; step < 12; step++) await write(`many-${step % 4}`, { many: '' }, { step: String(step) })
  const versions = (events: readonly WatchEvent[]): string[] =>
    events.map(({ object }) => object.metadata.resourceVersion)
  const all = versions(await take(cluster.watch(watchOf('many', from)), 12))
  const later = all.slice(0, -1).map(async (version, index) => {
    const count = all.length - index - 1
    expect(versions(await take(cluster.watch(watchOf('many', version)), count))).toEqual(all.slice(index + 1))
  })
  await Promise.all(later)
})

test('a watch may begin with all that is there, and says when that is told', async () => {
  await write('first', { listed: '' })
  const stream = cluster.watch(
    `${watchOf('listed', '')}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  )
  const events: WatchEvent[] = []
  for await (const event of stream) {
    events.push(event)
    if (event.type === 'BOOKMARK') await write('second', { listed: '' })
    if (event.object.metadata.name === 'second') break
  }
  expect(
    events.map(({ type, object }) => [type, object.metadata.name ?? object.metadata.annotations]),
  ).toEqual([
    ['ADDED', 'first'],
    ['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }],
    ['ADDED', 'second'],
  ])
})

test('custom resources are watched like any other', async () => {
  const group = 'watched.example.com'
  await cluster.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: {
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Cluster',
        names: { plural: 'things', kind: 'Thing' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    },
  })
  const things = `/apis/${group}/v1/things`
  const thing = { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'one' } }
  await expect.poll(async () => (await cluster.send('POST', things, { body: thing })).status).toBe(201)
  const from = (await cluster.read(`${things}/one`)).metadata.resourceVersion
  await cluster.send('PATCH', `${things}/one`, { body: { dummy: 'test' }, ...mergePatch })
  await cluster.send('DELETE', `${things}/one`)
  const events = await take(
    cluster.watch(`${things}?watch=1&fieldSelector=metadata.name%3Done&resourceVersion=${from}`),
    2,
  )
  expect(events.map(({ type, object }) => [type, object['dummy']])).toEqual([
    ['MODIFIED', 'test'],
    ['DELETED', 'test'],
  ])
})
