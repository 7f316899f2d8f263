import { PassThrough, Writable } from 'node:stream'
import type { Command } from '../../src/cli/command.ts'
import { runCommandLine } from '../../src/cli/run.ts'

/** Collects what is written. */
class Collector extends Writable {
  text = ''
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}

export interface Ran {
  readonly status: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process, with streams and environment of its own. */
export async function run(
  typed: readonly string[],
  commands: readonly Command[],
  options: { environment?: Record<string, string>; signal?: AbortSignal; now?: Date } = {},
): Promise<Ran> {
  const stdout = new Collector()
  const stderr = new Collector()
  const status = await runCommandLine(typed, commands, {
    stdin: new PassThrough(),
    stdout,
    stderr,
    environment: options.environment ?? {},
    workingDirectory: '/',
    signal: options.signal ?? new AbortController().signal,
    now: () => options.now ?? new Date('2026-01-02T03:04:05Z'),
  })
  return { status, out: stdout.text, err: stderr.text }
}
