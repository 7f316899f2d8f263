import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasCode } from '../../../files.ts'
import type { ShimAnnouncement, ShimExit, ShimSpec, ShimState } from './shim-spec.ts'

/** The program that keeps a container; beside this file, in the source tree as in the bundle. */
const program = fileURLToPath(new URL('./shim.py', import.meta.url))

/** Where an interpreter is looked for before PATH: version managers put slow scripts in front of the real one. */
const interpreters = ['/usr/bin/python3', '/usr/local/bin/python3']

export function findInterpreter(): string {
  return interpreters.find((path) => existsSync(path)) ?? 'python3'
}

/** Arguments that start the shim without reading anything from the user's Python environment. */
export function shimArguments(mode: 'run' | 'exec'): string[] {
  return ['-I', '-S', '-B', program, mode]
}

export interface StartedShim {
  readonly process: ChildProcess
  readonly announcement: ShimAnnouncement
}

/**
 * Starts the shim in a run's directory, in a session of its own, and waits for its word that the container has
 * started or failed.
 *
 * @throws {Error} when the shim itself cannot run.
 */
export async function startShim(directory: string): Promise<StartedShim> {
  const errorsPath = join(directory, 'shim.err')
  const errors = await open(errorsPath, 'a', 0o600)
  try {
    const child = spawn(findInterpreter(), shimArguments('run'), {
      cwd: directory,
      detached: true,
      // Nothing of the server's own environment may reach a container.
      env: {},
      stdio: ['ignore', 'pipe', errors.fd],
    })
    const line = await firstLine(child)
    if (line === '') {
      const text = (await readFile(errorsPath, 'utf8')).trim().split('\n').at(-1) ?? ''
      throw new Error(`the container's supervisor ended without a word: ${text}`)
    }
    // The server may end while the container goes on.
    child.unref()
    child.stdout?.destroy()
    return { process: child, announcement: JSON.parse(line) as ShimAnnouncement }
  } finally {
    await errors.close()
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject))
  const read = async (): Promise<string> => {
    let text = ''
    for await (const chunk of child.stdout ?? []) {
      text += String(chunk)
      if (text.includes('\n')) break
    }
    return text.split('\n')[0] ?? ''
  }
  return Promise.race([read(), failed])
}

export async function readShimFile<T extends ShimState | ShimExit | ShimSpec>(
  path: string,
): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

let currentBoot: string | undefined

/** Is this the very process, and not a later one of the same number? */
export function isAlive(pid: number, startTime: number, boot: string): boolean {
  currentBoot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  if (boot !== currentBoot) return false
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] !== 'Z' && Number(fields[19]) === startTime
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}
