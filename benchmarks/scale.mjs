#!/usr/bin/env node
// A large cluster in one process: simulated nodes, and pods from creation until they run; how long a list and a new event
// take all the while, and what objects cost as they become more:
//   node benchmarks/scale.mjs [--quick] [--nodes N] [--pods N] [--program FILE] [--profile DIRECTORY]
// It gives up after ten minutes.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { clientOf, pool, quantile, rounded } from './client.mjs'
import { cpuMs, memoryMb, programIn, startCluster, withDirectory } from './cluster.mjs'
import { machine, report } from './report.mjs'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    nodes: { type: 'string' },
    pods: { type: 'string' },
    program: { type: 'string' },
    profile: { type: 'string' },
  },
})
const nodes = Number(values.nodes ?? (values.quick ? 200 : 2000))
const pods = Number(values.pods ?? (values.quick ? 1000 : 20_000))
const sizes = values.quick ? [1000, 5000] : [1000, 10_000, 100_000]
const limitMs = 10 * 60_000
const perNamespace = 1000
const width = 32
const nodeArguments = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []

function clusterFile() {
  const lines = Array.from(
    { length: nodes },
    (_, index) =>
      `  - { name: node${index}, capacity: { cpu: 32, memory: 128Gi, nvidia.com/gpu: 8, pods: 110 } }`,
  )
  return `runtime: simulated\nnodes:\n${lines.join('\n')}\n`
}

function pod(index) {
  const resources = { cpu: '1', memory: '1Gi' }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${index}`, labels: { app: 'scale' } },
    spec: {
      containers: [{ name: 'main', image: 'i', command: ['run'], resources: { requests: resources } }],
    },
  }
}

/** Calls `onEvent` with each event of a watch. */
function watchEvents(client, path, onEvent) {
  let rest = ''
  const decoder = new TextDecoder()
  return client.watch(path, (piece) => {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onEvent(JSON.parse(line))
  })
}

/** Lists a page and waits for an event of its own until the signal; gives back how long each took. */
async function probe(client, signal) {
  const listTimes = []
  const watchTimes = []
  const maps = '/api/v1/namespaces/probe/configmaps'
  let arrived
  const stop = await watchEvents(client, `${maps}?watch=1`, () => arrived?.())
  try {
    for (let index = 0; !signal.aborted; index += 1) {
      let begun = performance.now()
      await client.call('GET', '/api/v1/namespaces/scale0/pods?limit=500')
      listTimes.push(performance.now() - begun)
      begun = performance.now()
      const event = new Promise((resolve) => {
        arrived = resolve
      })
      await client.call('POST', maps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `m${index}` },
      })
      await event
      watchTimes.push(performance.now() - begun)
      await delay(200, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    stop()
  }
  return { listTimes, watchTimes }
}

function namespace(client, name) {
  return client.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  })
}

/** Pods from creation until the last of them runs. */
async function podRun(program, directory) {
  const cluster = await startCluster({
    program,
    directory,
    name: 'pods',
    config: clusterFile(),
    nodeArguments,
  })
  const client = clientOf(cluster.target, width)
  const prober = clientOf(cluster.target, 2)
  const probing = new AbortController()
  try {
    const emptyMb = memoryMb(cluster.pid)
    await namespace(client, 'probe')
    const spaces = Math.ceil(pods / perNamespace)
    for (let index = 0; index < spaces; index += 1) await namespace(client, `scale${index}`)
    const createdAt = new Map()
    const waits = []
    let finish
    const allRun = new Promise((resolve) => {
      finish = resolve
    })
    const stop = await watchEvents(
      client,
      '/api/v1/pods?watch=1&resourceVersion=0&fieldSelector=status.phase%3DRunning',
      ({ object }) => {
        const key = `${object.metadata.namespace}/${object.metadata.name}`
        const begun = createdAt.get(key)
        if (begun === undefined || !createdAt.delete(key)) return
        waits.push(performance.now() - begun)
        if (waits.length === pods) finish()
      },
    )
    const probed = probe(prober, probing.signal)
    const before = cpuMs(cluster.pid)
    const startedAt = performance.now()
    const created = await pool(pods, width, (index) => {
      const space = `scale${index % spaces}`
      createdAt.set(`${space}/p${index}`, performance.now())
      return client.call('POST', `/api/v1/namespaces/${space}/pods`, pod(index))
    })
    const end = await Promise.race([allRun, delay(limitMs, 'late', { ref: false })])
    if (end === 'late') throw new Error(`${waits.length} of ${pods} pods run after ${limitMs} ms`)
    const seconds = (performance.now() - startedAt) / 1000
    const podCpuMs = rounded((cpuMs(cluster.pid) - before) / pods, 2)
    probing.abort()
    const { listTimes, watchTimes } = await probed
    const fullMb = memoryMb(cluster.pid)
    const listBegun = performance.now()
    const listBytes = (await client.call('GET', '/api/v1/pods')).length
    const listMs = rounded(performance.now() - listBegun, 1)
    stop()
    return {
      startMs: Math.round(cluster.readyMs),
      perSecond: Math.round(pods / seconds),
      podCpuMs,
      created,
      waitP50Ms: quantile(waits, 0.5),
      waitP99Ms: quantile(waits, 0.99),
      listP50Ms: quantile(listTimes, 0.5),
      listP99Ms: quantile(listTimes, 0.99),
      watchP50Ms: quantile(watchTimes, 0.5),
      watchP99Ms: quantile(watchTimes, 0.99),
      emptyMb,
      fullMb,
      kbPerPod: rounded(((fullMb - emptyMb) * 1000) / pods, 1),
      listMs,
      listBytes,
    }
  } finally {
    probing.abort()
    client.close()
    prober.close()
    await cluster.stop()
  }
}

/** What one more object costs when there are many already: time to create, time of a page and of the whole, memory. */
async function costCurve(program, directory) {
  const cluster = await startCluster({ program, directory, name: 'curve', config: '{"nodes":[]}' })
  const client = clientOf(cluster.target, width)
  const maps = '/api/v1/namespaces/curve/configmaps'
  const object = (index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `c${String(index).padStart(7, '0')}` },
    data: { text: 'x'.repeat(900) },
  })
  try {
    await namespace(client, 'curve')
    const emptyMb = memoryMb(cluster.pid)
    const points = []
    let there = 0
    for (const size of sizes) {
      const from = there
      const added = size - from
      const before = cpuMs(cluster.pid)
      const created = await pool(added, width, (index) => client.call('POST', maps, object(from + index)))
      const createCpuMs = rounded((cpuMs(cluster.pid) - before) / added, 3)
      there = size
      const times = { page: [], whole: [] }
      for (let round = 0; round < 3; round += 1) {
        let begun = performance.now()
        await client.call('GET', `${maps}?limit=500`)
        times.page.push(performance.now() - begun)
        begun = performance.now()
        await client.call('GET', maps)
        times.whole.push(performance.now() - begun)
      }
      points.push({
        objects: size,
        createsPerSecond: created.perSecond,
        createCpuMs,
        pageMs: quantile(times.page, 0.5),
        wholeListMs: quantile(times.whole, 0.5),
        kbPerObject: rounded(((memoryMb(cluster.pid) - emptyMb) * 1000) / size, 1),
      })
    }
    return points
  } finally {
    client.close()
    await cluster.stop()
  }
}

await withDirectory(async (directory) => {
  const about = machine()
  const program = await programIn(directory, values.program)
  const run = await podRun(program, directory)
  const points = await costCurve(program, directory)
  const full = nodes >= 2000 && pods >= 20_000
  report(
    'scale',
    about,
    [
      {
        name: `${pods} pods on ${nodes} nodes until they run`,
        value: run.perSecond,
        unit: 'pods/s',
        ...(full && { goal: 500, atLeast: true }),
      },
      { name: 'processor time of a pod, from creation to running', value: run.podCpuMs, unit: 'ms' },
      { name: 'creation until running, median', value: run.waitP50Ms, unit: 'ms' },
      { name: 'creation until running, 99 of 100', value: run.waitP99Ms, unit: 'ms' },
      { name: 'page of 500 pods meanwhile, median', value: run.listP50Ms, unit: 'ms' },
      { name: 'page of 500 pods meanwhile, 99 of 100', value: run.listP99Ms, unit: 'ms' },
      { name: 'write until its event meanwhile, median', value: run.watchP50Ms, unit: 'ms' },
      { name: 'write until its event meanwhile, 99 of 100', value: run.watchP99Ms, unit: 'ms' },
      { name: 'list of all pods afterwards', value: run.listMs, unit: 'ms' },
      { name: `start with ${nodes} nodes`, value: run.startMs, unit: 'ms' },
      { name: 'memory before the first pod', value: run.emptyMb, unit: 'MB' },
      { name: 'memory with all pods', value: run.fullMb, unit: 'MB' },
      { name: 'memory per pod', value: run.kbPerPod, unit: 'kB' },
      ...points.flatMap((point) => [
        {
          name: `${point.objects} objects: create, processor time`,
          value: point.createCpuMs,
          unit: 'ms each',
        },
        { name: `${point.objects} objects: page of 500`, value: point.pageMs, unit: 'ms' },
        { name: `${point.objects} objects: whole list`, value: point.wholeListMs, unit: 'ms' },
        { name: `${point.objects} objects: memory`, value: point.kbPerObject, unit: 'kB each' },
      ]),
    ],
    { run, points },
  )
})
