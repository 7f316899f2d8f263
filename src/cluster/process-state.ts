import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { readIfThere, writeWhole } from '../files.ts'
import { startTimeOf } from '../process-life.ts'

/** What a running cluster leaves in its data directory, so that others find it. */
export interface ClusterProcess {
  readonly pid: number
  /** Start time of the process as the kernel counts it: ids are given out again. */
  readonly started: string
  readonly url: string
  readonly port: number
  readonly adminKubeconfig: string
  /** RFC 3339. */
  readonly since: string
}

const fileIn = (dataDir: string): string => join(dataDir, 'cluster.json')

/** Tells others that this process serves the data directory now. */
export async function announce(
  dataDir: string,
  cluster: { url: string; adminKubeconfig: string },
): Promise<void> {
  const state: ClusterProcess = {
    pid: process.pid,
    started: startTimeOf(process.pid) ?? '',
    url: cluster.url,
    port: Number(new URL(cluster.url).port),
    adminKubeconfig: cluster.adminKubeconfig,
    since: new Date().toISOString(),
  }
  await writeWhole(fileIn(dataDir), `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
}

/** What was announced last, whether it still runs or not. */
export async function lastAnnounced(dataDir: string): Promise<ClusterProcess | undefined> {
  const text = await readIfThere(fileIn(dataDir)).catch((error: unknown) => {
    throw new UserError('FILE_UNREADABLE', `the data directory "${dataDir}" cannot be read`, {
      hint: 'run as the user who started the cluster',
      cause: error,
    })
  })
  if (text === undefined) return undefined
  const value: unknown = JSON.parse(text)
  return isClusterProcess(value) ? value : undefined
}

/** The cluster that serves a data directory now, if any. */
export async function findRunning(dataDir: string): Promise<ClusterProcess | undefined> {
  const state = await lastAnnounced(dataDir)
  return state && startTimeOf(state.pid) === state.started ? state : undefined
}

/**
 * Asks the cluster of a data directory to stop and waits until it has.
 *
 * @returns false when none runs.
 * @throws {UserError} `TIMEOUT` when it is still there after `timeoutMs`.
 */
export async function stopRunning(
  dataDir: string,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<boolean> {
  const state = await findRunning(dataDir)
  if (!state) return false
  process.kill(state.pid, 'SIGTERM')
  const end = Date.now() + options.timeoutMs
  while (startTimeOf(state.pid) === state.started) {
    options.signal.throwIfAborted()
    if (Date.now() > end)
      throw new UserError(
        'TIMEOUT',
        `the cluster (process ${state.pid}) did not stop within ${options.timeoutMs / 1000} s`,
        {
          hint: `look at ${join(dataDir, 'cluster.log')}; kill -9 ${state.pid} is safe: nothing acknowledged gets lost`,
        },
      )
    await new Promise((resolve) => {
      setTimeout(resolve, 25)
    })
  }
  return true
}

/** Deletes a data directory and everything in it. The cluster must have stopped. */
export async function removeData(dataDir: string): Promise<void> {
  // Jobs outlive the cluster's process, but not its data.
  const { endProcesses } = await import('./runtime/index.ts')
  await endProcesses(dataDir)
  await rm(dataDir, { recursive: true, force: true })
}

function isClusterProcess(value: unknown): value is ClusterProcess {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'started' in value &&
    typeof value.started === 'string' &&
    'url' in value &&
    typeof value.url === 'string' &&
    'port' in value &&
    typeof value.port === 'number'
  )
}
