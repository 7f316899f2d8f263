#!/usr/bin/env node
// The API server over TLS, beside a bare HTTPS server on the same machine in the same run, so that ratios hold from
// machine to machine: `node benchmarks/api.mjs [--quick] [--program FILE] [--profile DIRECTORY]`. Every create and patch is
// synced to disk before it is answered; the bare server only sends back what it got.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clientOf, pool, quantile, rounded } from './client.mjs'
import { cpuMs, memoryMb, programIn, startCluster, withDirectory } from './cluster.mjs'
import { machine, report } from './report.mjs'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    program: { type: 'string' },
    profile: { type: 'string' },
  },
})
const count = values.quick ? 600 : 3200
const width = 32
const watchers = values.quick ? 50 : 200
const events = values.quick ? 20 : 50
const merge = 'application/merge-patch+json'
const maps = '/api/v1/namespaces/load/configmaps'
const nameOf = (index) => `c${String(index).padStart(6, '0')}`

function configMap(index) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: nameOf(index), labels: { part: String(index % 10) } },
    data: { text: 'x'.repeat(900) },
  }
}

/** Rate, times and processor time of the server for one kind of request. */
async function measured(pid, work) {
  const before = cpuMs(pid)
  const result = await pool(count, width, work)
  return { ...result, cpuMs: rounded((cpuMs(pid) - before) / count, 3) }
}

async function medianOf(rounds, work) {
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now()
    await work()
    times.push(performance.now() - startedAt)
  }
  return quantile(times, 0.5)
}

/** Every watcher must get every event; how many of them all got a second. */
async function fanOut(client, pid) {
  const goal = watchers * events
  let seen = 0
  let finish
  const all = new Promise((resolve) => {
    finish = resolve
  })
  const onPiece = (piece) => {
    for (const byte of piece) if (byte === 10) seen += 1
    if (seen >= goal) finish()
  }
  const path = `${maps}?watch=1&fieldSelector=metadata.name%3Dfan`
  const stops = await Promise.all(Array.from({ length: watchers }, () => client.watch(path, onPiece)))
  const before = cpuMs(pid)
  const startedAt = performance.now()
  await client.call('POST', maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fan' } })
  for (let index = 1; index < events; index += 1)
    await client.call('PATCH', `${maps}/fan`, { data: { index: String(index) } }, merge)
  await Promise.race([all, delay(20_000, undefined, { ref: false })])
  const seconds = (performance.now() - startedAt) / 1000
  for (const stop of stops) stop()
  if (seen !== goal) throw new Error(`${seen} events came where ${goal} should have`)
  return { perSecond: Math.round(seen / seconds), cpuUs: rounded(((cpuMs(pid) - before) * 1000) / goal, 1) }
}

await withDirectory(async (directory) => {
  const about = machine()
  const program = await programIn(directory, values.program)
  const nodeArguments = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []
  const cluster = await startCluster({ program, directory, config: '{"nodes":[]}', nodeArguments })
  const pki = join(cluster.dataDir, 'pki')
  const echo = fork(fileURLToPath(new URL('echo.mjs', import.meta.url)), [
    join(pki, 'apiserver.key'),
    join(pki, 'apiserver.crt'),
  ])
  const client = clientOf(cluster.target, width)
  let bare
  try {
    const [port] = await once(echo, 'message')
    bare = clientOf({ host: '127.0.0.1', port, ca: await readFile(join(pki, 'ca.crt')) }, width)
    await delay(2000)
    const idleMb = memoryMb(cluster.pid)
    await client.call('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'load' },
    })
    const yard = () => measured(echo.pid, (index) => bare.call('POST', '/', configMap(index)))
    // Before, between and after: their mean is what the machine could do while the cluster was measured.
    await pool(200, width, (index) => bare.call('POST', '/', configMap(index)))
    const yards = [await yard()]
    const create = await measured(cluster.pid, (index) => client.call('POST', maps, configMap(index)))
    yards.push(await yard())
    const get = await measured(cluster.pid, (index) => client.call('GET', `${maps}/${nameOf(index)}`))
    const patch = await measured(cluster.pid, (index) =>
      client.call('PATCH', `${maps}/${nameOf(index)}`, { data: { index: String(index) } }, merge),
    )
    yards.push(await yard())
    const listMs = await medianOf(7, () => client.call('GET', maps))
    const listTenthMs = await medianOf(7, () => client.call('GET', `${maps}?labelSelector=part%3D3`))
    const fan = await fanOut(client, cluster.pid)
    const loadedMb = memoryMb(cluster.pid)
    const mean = yards.reduce((sum, one) => sum + one.perSecond, 0) / yards.length
    const ratio = (one) => rounded(one.perSecond / mean, 2)
    const full = !values.quick
    report(
      'api',
      about,
      [
        { name: 'create / bare HTTPS', value: ratio(create), goal: 0.5, atLeast: true },
        { name: 'get / bare HTTPS', value: ratio(get), goal: 0.8, atLeast: true },
        { name: 'patch / bare HTTPS', value: ratio(patch), goal: 0.45, atLeast: true },
        { name: `list of ${count} objects`, value: listMs, unit: 'ms', ...(full && { goal: 30 }) },
        { name: `list of a tenth of them, by label`, value: listTenthMs, unit: 'ms' },
        {
          name: `fan-out: ${watchers} watchers x ${events} events`,
          value: fan.perSecond,
          unit: 'events/s',
          ...(full && { goal: 40_000, atLeast: true }),
        },
        { name: 'idle memory', value: idleMb, unit: 'MB', goal: 120 },
        { name: 'memory after all of it', value: loadedMb, unit: 'MB' },
        { name: 'bare HTTPS', value: Math.round(mean), unit: 'a second' },
        { name: 'processor time: bare HTTPS', value: yards.at(-1).cpuMs, unit: 'ms each' },
        { name: 'processor time: create', value: create.cpuMs, unit: 'ms each' },
        { name: 'processor time: get', value: get.cpuMs, unit: 'ms each' },
        { name: 'processor time: patch', value: patch.cpuMs, unit: 'ms each' },
        { name: 'processor time: one event to one watcher', value: fan.cpuUs, unit: 'us' },
      ],
      { yards, create, get, patch, fan },
    )
  } finally {
    bare?.close()
    client.close()
    echo.disconnect()
    await cluster.stop()
  }
})
