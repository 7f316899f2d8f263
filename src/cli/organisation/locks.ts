import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { parseDurationMs } from '../../kube/index.ts'
import { describeHolder, type LockHolder, withLock } from '../../lock.ts'
import type { CommandContext, Input } from '../command.ts'

/**
 * How long `--wait` lets others finish who change the same thing, in milliseconds.
 *
 * @throws {UserError} `USAGE`
 */
export function patienceOf(input: Input): number {
  const typed = input.text('wait') ?? '10s'
  const timeMs = parseDurationMs(typed)
  if (timeMs !== undefined && timeMs >= 0) return timeMs
  throw new UserError('USAGE', `--wait "${typed}" is no duration`, { hint: 'as in: --wait 2m, or --wait 0s' })
}

/** Says for whom a command waits. */
export function tellOfWait(context: CommandContext): (holder: LockHolder) => void {
  return (holder) => context.note(`waiting for ${describeHolder(holder)}`)
}

/**
 * Changes accounts of a host while nobody else does.
 *
 * @throws {UserError} `LOCKED`, `FILE_UNREADABLE`
 */
export async function withHostLock<T>(
  host: { readonly root: string; readonly what: string },
  input: Input,
  context: CommandContext,
  work: () => Promise<T>,
): Promise<T> {
  const patienceMs = patienceOf(input)
  const directory = join(host.root, 'var/lib/arena')
  await mkdir(directory, { recursive: true, mode: 0o755 }).catch((cause: unknown) => {
    throw new UserError('FILE_UNREADABLE', `directory "${directory}" cannot be made`, {
      hint: `it keeps what is made here: ${cause instanceof Error ? cause.message : ''}`,
      cause,
    })
  })
  const subject = host.root === '/' ? 'this host' : `host "${host.root}"`
  return withLock(
    join(directory, 'host'),
    { subject, what: host.what, patienceMs, signal: context.signal, onWait: tellOfWait(context) },
    work,
  )
}
