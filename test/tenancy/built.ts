import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { copyProgram } from '../program.ts'

export interface BuiltProgram {
  /** Starts a command line in a process of its own and kills it after so many lines of output, or lets it end. */
  killAfter(
    lines: number,
    typed: readonly string[],
    world: { directory: string; environment: Record<string, string> },
  ): Promise<void>
  /** Starts a command line at the head of a process group of its own. */
  start(
    typed: readonly string[],
    world: { directory: string; environment: Record<string, string> },
    stdio?: StdioOptions,
  ): ChildProcess
  remove(): Promise<void>
}

/** The program in a directory of its own, for tests that need a process. */
export async function runBuilt(): Promise<BuiltProgram> {
  const cache = resolve('node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'arena-built-'))
  await copyProgram(directory)
  return {
    async killAfter(lines, typed, world) {
      const child = spawn(process.execPath, [join(directory, 'arena.js'), ...typed], {
        cwd: world.directory,
        env: world.environment,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const ended = once(child, 'exit')
      let seen = 0
      for await (const _line of createInterface({ input: child.stdout })) {
        seen += 1
        if (seen === lines) child.kill('SIGKILL')
      }
      await ended
    },
    start: (typed, world, stdio = 'ignore') =>
      spawn(process.execPath, [join(directory, 'arena.js'), ...typed], {
        cwd: world.directory,
        env: world.environment,
        stdio,
        detached: true,
      }),
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
