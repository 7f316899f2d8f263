// A cluster to measure: built, started in a directory of its own, stopped and removed again.
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
/** A start that takes longer has failed. */
const startLimitMs = 60_000

/** Node 20 reads all certificates that NODE_EXTRA_CA_CERTS names before any program starts: that would hide what is measured. */
export function environmentOf(home) {
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env
  return { ...inherited, HOME: home }
}

/** Gives work a directory of its own and removes it in the end. */
export async function withDirectory(work) {
  const directory = await mkdtemp(join(tmpdir(), 'arena-benchmark-'))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The program to measure: the one named, or one built from the sources into the directory. */
export async function programIn(directory, named) {
  if (named) return resolve(named)
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  await execute(process.execPath, [join(root, 'scripts', 'build.mjs'), join(directory, 'dist')])
  return join(directory, 'dist', 'arena.js')
}

/**
 * Starts a cluster as a child process and resolves when it says that it is ready.
 *
 * `config` is the text of a cluster file; `nodeArguments` go to node itself, e.g. a profiler's.
 */
export async function startCluster({ program, directory, name = 'cluster', config, nodeArguments = [] }) {
  const dataDir = join(directory, name)
  const file = join(directory, `${name}.yaml`)
  await writeFile(file, config)
  const startedAt = performance.now()
  const words = [...nodeArguments, program, 'cluster', 'start', '--data-dir', dataDir, '--config', file]
  const child = spawn(process.execPath, words, {
    cwd: directory,
    env: environmentOf(directory),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await closed
    clearTimeout(late)
  }
  try {
    await readyLine(child)
  } catch (error) {
    await stop()
    throw error
  }
  const readyMs = performance.now() - startedAt
  return {
    pid: child.pid,
    dataDir,
    readyMs,
    kubeconfig: join(dataDir, 'admin.kubeconfig'),
    target: await targetOf(join(dataDir, 'admin.kubeconfig')),
    stop,
  }
}

/** The running cluster prints where it is as soon as it takes requests. */
function readyLine(child) {
  return new Promise((resolve, reject) => {
    let text = ''
    const late = setTimeout(
      () => reject(new Error(`the cluster is not ready after ${startLimitMs} ms`)),
      startLimitMs,
    )
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (piece) => {
      text += piece
      if (!text.includes('admin.kubeconfig')) return
      clearTimeout(late)
      resolve()
    })
    child.once('close', (code) => {
      clearTimeout(late)
      reject(new Error(`the cluster ended with status ${code}`))
    })
  })
}

/** Where a kubeconfig of a cluster of ours points, and what it shows there. */
async function targetOf(kubeconfig) {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, 'utf8'))
  const bytes = (text) => Buffer.from(text, 'base64')
  const url = new URL(clusters[0].cluster.server)
  return {
    host: url.hostname,
    port: Number(url.port),
    ca: bytes(clusters[0].cluster['certificate-authority-data']),
    cert: bytes(users[0].user['client-certificate-data']),
    key: bytes(users[0].user['client-key-data']),
  }
}

/** Processor time that a process has used so far, in milliseconds: what a busy machine changes least. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Resident memory of a process now, in megabytes of 10^6 bytes. */
export function memoryMb(pid) {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round((Number(kilobytes) * 1024) / 1e5) / 10
}
