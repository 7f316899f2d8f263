import { versionLines } from './version.ts'

/**
 * Entry of the `arena` command. Everything but the version is imported when it is needed: reading code is most of
 * what a short command does.
 */
const typed = process.argv.slice(2)
const [first, ...others] = typed
if (
  (first === 'version' || first === '--version') &&
  others.every((word) => /^(--short|-v|--verbose)$/.test(word))
) {
  process.stdout.write(`${versionLines({ isShort: others.includes('--short') }).join('\n')}\n`)
} else {
  await start()
}

async function start(): Promise<void> {
  const [{ runCommandLine }, { commands }, { UserError }] = await Promise.all([
    import('./run.ts'),
    import('./commands/table.ts'),
    import('../errors.ts'),
  ])
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
    throw error
  })
  const status = await runCommandLine(typed, commands, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    workingDirectory: process.cwd(),
    signal: stop.signal,
    now: () => new Date(),
  })
  process.exitCode = status
  // A forgotten handle must not keep the terminal waiting; what was printed is out once this is called back.
  process.stdout.write('', () => process.exit(status))
}
