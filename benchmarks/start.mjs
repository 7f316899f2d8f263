#!/usr/bin/env node
// How long the embedded cluster takes from its command line until it takes requests and its nodes are there: in an empty
// directory, and again in the same one: `node benchmarks/start.mjs [--quick] [--program FILE]`. Beside it, in turn,
// `node -e 0`, so that it can be told from a slow machine.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { quantile } from './client.mjs'
import { cpuMs, environmentOf, memoryMb, programIn, startCluster, withDirectory } from './cluster.mjs'
import { machine, report } from './report.mjs'

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, program: { type: 'string' } },
})
const rounds = values.quick ? 3 : 11
const config = 'runtime: simulated\nnodes: [{ name: worker01, capacity: { cpu: 64, memory: 256Gi } }]\n'

async function nothing(directory) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['-e', '0'], { env: environmentOf(directory), stdio: 'ignore' })
  await once(child, 'close')
  return performance.now() - startedAt
}

await withDirectory(async (directory) => {
  const about = machine()
  const program = await programIn(directory, values.program)
  const times = { node: [], first: [], again: [], cpu: [] }
  let idleMb = 0
  for (let round = 0; round < rounds; round += 1) {
    times.node.push(await nothing(directory))
    for (const which of ['first', 'again']) {
      const cluster = await startCluster({ program, directory, name: `cluster${round}`, config })
      try {
        times[which].push(cluster.readyMs)
        if (which === 'first') times.cpu.push(cpuMs(cluster.pid))
        if (round === 0 && which === 'again') {
          await delay(3000)
          idleMb = memoryMb(cluster.pid)
        }
      } finally {
        await cluster.stop()
      }
    }
  }
  report(
    'start',
    about,
    [
      { name: 'node -e 0', value: quantile(times.node, 0.5), unit: 'ms' },
      { name: 'first start until ready', value: quantile(times.first, 0.5), unit: 'ms', goal: 400 },
      { name: 'first start, processor time', value: quantile(times.cpu, 0.5), unit: 'ms' },
      { name: 'start again until ready', value: quantile(times.again, 0.5), unit: 'ms', goal: 400 },
      { name: 'idle memory', value: idleMb, unit: 'MB', goal: 120 },
    ],
    { times },
  )
})
