import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../errors.ts'
import type { ClusterStart } from './foreground.ts'
import type { CommandContext } from '../command.ts'

const patienceMs = 60_000

/**
 * Starts the embedded cluster as a process of its own and waits until it is ready.
 *
 * @throws {UserError} what kept it from starting; `TIMEOUT`.
 */
export async function startDetached(
  options: ClusterStart,
  context: CommandContext,
): Promise<{ adminKubeconfig: string }> {
  const { findRunning } = await import('../../cluster/index.ts')
  const running = await findRunning(options.dataDir)
  if (running)
    throw new UserError(
      'STORE_IN_USE',
      `a cluster is running in "${options.dataDir}" already, as process ${running.pid}`,
      {
        hint: `use it: export KUBECONFIG=${running.adminKubeconfig}, or stop it: arena cluster stop --data-dir ${options.dataDir}`,
      },
    )
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const logFile = join(options.dataDir, 'cluster.log')
  const log = await open(logFile, 'a', 0o600)
  const { size: logStart } = await log.stat()
  const words = ['cluster', 'start', '--data-dir', options.dataDir]
  if (options.configFile !== undefined) words.push('--config', options.configFile)
  if (options.port !== undefined) words.push('--port', String(options.port))
  const child = spawn(process.execPath, [entryPoint(), ...words], {
    cwd: context.workingDirectory,
    detached: true,
    // Its first line on standard output says that it is ready; the rest of its life goes to the log.
    stdio: ['ignore', 'pipe', log.fd],
    env: { ...process.env },
  })
  try {
    const path = await firstLine(child, { signal: context.signal, logFile })
    if (path !== undefined) {
      child.stdout?.destroy()
      child.unref()
      return { adminKubeconfig: path }
    }
    const said = (await readFile(logFile)).subarray(logStart).toString('utf8').trim()
    throw new UserError(
      'REJECTED',
      `the cluster did not start: ${said.replace(/^error: /i, '') || 'it ended without a word'}`,
      {
        hint: `its log is ${logFile}`,
      },
    )
  } catch (error) {
    child.kill('SIGTERM')
    throw error
  } finally {
    await log.close()
  }
}

/** The first line a child prints; undefined when it ends without one. */
async function firstLine(
  child: ChildProcess,
  { signal, logFile }: { readonly signal: AbortSignal; readonly logFile: string },
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => {
      const message = `the cluster was not ready within ${patienceMs / 1000} s`
      reject(new UserError('TIMEOUT', message, { hint: `its log is ${logFile}` }))
    }, patienceMs)
    const settle = (end: () => void): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', interrupted)
      end()
    }
    const interrupted = (): void => settle(() => reject(signal.reason))
    signal.addEventListener('abort', interrupted, { once: true })
    child.stdout?.on('data', (piece: Buffer) => {
      text += piece.toString('utf8')
      const end = text.indexOf('\n')
      if (end >= 0) settle(() => resolve(text.slice(0, end)))
    })
    child.on('error', (error) => settle(() => reject(error)))
    child.on('close', () => settle(() => resolve(undefined)))
  })
}

/** The script this process was started from. */
function entryPoint(): string {
  return process.argv[1] ?? fileURLToPath(import.meta.url)
}
