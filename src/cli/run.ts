import { UserError } from '../errors.ts'
import type { Command, CommandContext, World } from './command.ts'
import { findCommand } from './command-tree.ts'
import { parseInput } from './parse.ts'
import { openSession, type OpenSession } from './session.ts'

/**
 * Runs one command line and returns its exit status. Failures are printed to `stderr`, never thrown.
 *
 * @example
 * ```ts
 * const status = await runCommandLine(['list', '-n', 'dev1'], commands, world)
 * ```
 */
export async function runCommandLine(
  typed: readonly string[],
  commands: readonly Command[],
  world: World,
): Promise<number> {
  let session: Promise<OpenSession> | undefined
  const isDebug = / --loglevel[= ]debug /.test(` ${typed.join(' ')} `)
  try {
    const target = findCommand(commands, typed)
    if (target.type === 'group') {
      const { groupHelp } = await import('./help.ts')
      world.stdout.write(`${groupHelp(target.path, target.commands)}\n`)
      return 0
    }
    const { command } = target
    const input = parseInput(command, target.rest)
    if (input.flag('help')) {
      const { commandHelp } = await import('./help.ts')
      world.stdout.write(`${commandHelp(command)}\n`)
      return 0
    }
    for (const { used, instead } of input.deprecated) {
      world.stderr.write(`note: ${used} is the old spelling of ${instead}\n`)
    }
    const context: CommandContext = {
      // Opened by those who read it: that takes longer than a short command.
      get stdin() {
        return world.stdin
      },
      stdout: world.stdout,
      get stderr() {
        return world.stderr
      },
      environment: world.environment,
      workingDirectory: world.workingDirectory,
      signal: world.signal,
      now: () => world.now(),
      connect: () => {
        session ??= openSession({
          environment: world.environment,
          kubeconfig: input.text('config'),
          context: input.text('context'),
          namespace: input.text('namespace'),
        })
        return session
      },
      print: (line) => void world.stdout.write(`${line}\n`),
      note: (line) => void world.stderr.write(`${line}\n`),
    }
    return (await command.run(input, context)) ?? 0
  } catch (error) {
    const { reportError } = await import('./report.ts')
    const shown = world.signal.aborted ? new UserError('INTERRUPTED', 'interrupted', { cause: error }) : error
    const report = reportError(shown, { isDebug })
    for (const line of report.lines) world.stderr.write(`${line}\n`)
    return report.exit
  } finally {
    await session?.then(
      (opened) => opened.close(),
      // Reported above, where it was waited for.
      () => undefined,
    )
  }
}
