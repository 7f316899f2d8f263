#!/usr/bin/env node
// How long short commands take, as multiples of `node -e 0` in the same run: `node benchmarks/cli.mjs`.
// Builds the program, starts a cluster with simulated nodes, submits 20 jobs and measures. Options: --rounds N, --json.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, json: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
const limits = { 'arena version': 2, 'arena list (20 jobs)': 4 }

const directory = await mkdtemp(join(tmpdir(), 'arena-benchmark-'))
// Node 20 reads all certificates that this variable names before any program starts: it would hide what is measured.
const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env
const environment = { ...inherited, HOME: directory, KUBECONFIG: join(directory, 'bob.config') }
const program = join(directory, 'dist', 'arena.js')

/** Milliseconds from start to end of a process. */
function measure(words) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const child = spawn(process.execPath, words, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.resume()
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(performance.now() - startedAt)
      else reject(new Error(`${words.join(' ')} ended with status ${code}`))
    })
  })
}

function arena(words, kubeconfig = environment.KUBECONFIG) {
  return execute(process.execPath, [program, ...words], {
    env: { ...environment, KUBECONFIG: kubeconfig },
    cwd: directory,
  })
}

const dataDir = join(directory, 'data')
try {
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  await execute(process.execPath, [join(root, 'scripts', 'build.mjs'), join(directory, 'dist')])
  await writeFile(
    join(directory, 'cluster.yaml'),
    'runtime: simulated\nnodes: [{ name: worker01, capacity: { cpu: 64, memory: 256Gi, nvidia.com/gpu: 8 } }]\n',
  )
  await writeFile(
    join(directory, 'org.yaml'),
    'organisation: bench\nusers: { bob: { uid: 20001 } }\ngroups: { dev1: { gid: 10001, quota: { gpu: 8 }, members: { bob: member } } }\n',
  )
  await arena(['cluster', 'start', '--detach', '--data-dir', dataDir, '--config', 'cluster.yaml'])
  const admin = join(dataDir, 'admin.kubeconfig')
  await arena(['org', 'apply', '--yes'], admin)
  await arena(['user', 'kubeconfig', 'bob', '-o', environment.KUBECONFIG], admin)
  for (let index = 0; index < 20; index += 1) {
    await arena(['submit', 'tf', `--name=job-${index}`, '--gpus=1', '--image=i', 'true'])
  }
  const commands = {
    'node -e 0': ['-e', '0'],
    'arena version': [program, 'version'],
    'arena list (20 jobs)': [program, 'list'],
    'arena get': [program, 'get', 'job-19'],
    'arena data list': [program, 'data', 'list'],
    'arena submit --dry-run': [
      program,
      'submit',
      'tf',
      '--name=dry',
      '--image=i',
      '--dry-run',
      '-o',
      'json',
      'true',
    ],
  }
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
  // In turn, so that a busy moment of the machine hits all alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, words] of Object.entries(commands)) times[name].push(await measure(words))
  }
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
  const base = median(times['node -e 0'])
  const results = Object.entries(times).map(([name, list]) => ({
    name,
    medianMs: Math.round(median(list) * 10) / 10,
    ratio: Math.round((median(list) / base) * 100) / 100,
    limit: limits[name],
  }))
  if (values.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
  else {
    for (const { name, medianMs, ratio, limit } of results) {
      const goal = limit === undefined ? '' : `  goal ${limit}x ${ratio <= limit ? 'met' : 'MISSED'}`
      process.stdout.write(
        `${name.padEnd(24)} ${String(medianMs).padStart(7)} ms  ${ratio.toFixed(2)}x${goal}\n`,
      )
    }
  }
  process.exitCode = results.every(({ ratio, limit }) => limit === undefined || ratio <= limit) ? 0 : 1
} finally {
  await arena(['cluster', 'stop', '--data-dir', dataDir]).catch((error) => {
    process.stderr.write(`${error.message}\n`)
  })
  await rm(directory, { recursive: true, force: true })
}
