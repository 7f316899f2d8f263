// Lets a build run once what people run most, and keeps beside each program what V8 compiled of it.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const recorder = fileURLToPath(new URL('keep-code.cjs', import.meta.url))
const limitMs = 60_000

const cluster =
  'runtime: simulated\nnodes: [{ name: worker01, capacity: { cpu: 64, memory: 256Gi, nvidia.com/gpu: 8 } }]\n'
const organisation = `organisation: build
users: { ann: { uid: 20001 }, bob: { uid: 20002 } }
groups:
  dev1: { gid: 10001, quota: { gpu: 4 }, members: { ann: lead, bob: member } }
`

/**
 * Writes `PROGRAM.js.code` for the programs in a directory. Programs run without it, only more slowly to start: a machine
 * that cannot run a cluster still gets its build, and is told.
 */
export async function recordCode(directory) {
  const home = await mkdtemp(join(tmpdir(), 'arena-build-'))
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const admin = join(home, 'cluster', 'admin.kubeconfig')
  const bob = join(home, 'bob.kubeconfig')
  const words = ['--require', recorder, join(directory, 'arena.js')]
  const options = (kubeconfig) => ({ cwd: home, env: { ...inherited, HOME: home, KUBECONFIG: kubeconfig } })
  const arena = (kubeconfig, ...typed) =>
    promisify(execFile)(process.execPath, [...words, ...typed], { ...options(kubeconfig), timeout: limitMs })

  async function whileServing(work) {
    const typed = ['cluster', 'start', '--data-dir', join(home, 'cluster'), '--config', 'cluster.yaml']
    const server = spawn(process.execPath, [...words, ...typed], {
      ...options(admin),
      timeout: limitMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const closed = once(server, 'close')
    let said = ''
    server.stderr.on('data', (text) => (said += text))
    try {
      if (!(await Promise.race([once(server.stdout, 'data'), closed.then(() => false)])))
        throw new Error(said)
      await work()
    } finally {
      server.kill('SIGTERM')
      await closed
    }
  }

  try {
    await writeFile(join(home, 'cluster.yaml'), cluster)
    await writeFile(join(home, 'org.yaml'), organisation)
    await whileServing(async () => {
      await arena(admin, 'org', 'apply', '--yes')
      await arena(admin, 'user', 'kubeconfig', 'bob', '-o', bob)
      await arena(bob, 'submit', 'tf', '--name=job', '--gpus=1', '--image=image', 'true')
      for (const typed of ['list', 'get job', 'data list', 'quota', 'whoami', 'delete job']) {
        await arena(bob, ...typed.split(' '))
      }
    })
    await whileServing(() => arena(admin, 'org', 'plan'))
  } catch (error) {
    process.stderr.write(`The programs will start more slowly than they could: ${error.message}\n`)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}
