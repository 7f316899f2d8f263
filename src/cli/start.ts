import { UserError } from '../errors.ts'
import type { Command } from './command.ts'
import { runCommandLine } from './run.ts'

/** Runs a command line in this process: its streams, signals and exit status. */
export async function start(typed: readonly string[], commands: readonly Command[]): Promise<void> {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // Whoever asks twice does not want to wait for what is left to tidy up.
      if (stop.signal.aborted) process.exit(130)
      stop.abort(new UserError('INTERRUPTED', `interrupted by ${name}`))
    })
  }
  // As in `arena list | head`: whoever reads has had enough, and that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    process.stderr.write(`error: the output cannot be written: ${error.message}\n`)
    process.exit(1)
  })
  const status = await runCommandLine(typed, commands, {
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    get stderr() {
      return process.stderr
    },
    environment: process.env,
    workingDirectory: process.cwd(),
    signal: stop.signal,
    now: () => new Date(),
  })
  process.exitCode = status
  // A forgotten handle must not keep the terminal waiting; what was printed is out once this is called back.
  process.stdout.write('', () => {
    // Whether that failed is told one turn later.
    setImmediate(() => process.exit(status))
  })
}
