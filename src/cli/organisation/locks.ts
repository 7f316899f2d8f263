import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { cannotWrite } from '../../files.ts'
import { parseDurationMs } from '../../kube/index.ts'
import { describeHolder, type LockHolder, withLock } from '../../lock.ts'
import { type OrganisationLock, readOrgText, withOrganisationLock } from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { type LoadedOrg, loadOrg } from './load.ts'

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
    throw cannotWrite(`directory "${directory}", which keeps what is made here,`, cause)
  })
  const subject = host.root === '/' ? 'this host' : `host "${host.root}"`
  return withLock(
    join(directory, 'host'),
    { subject, what: host.what, patienceMs, signal: context.signal, onWait: tellOfWait(context) },
    work,
  )
}

/**
 * Changes an organisation while no other command does, from wherever.
 *
 * @param what the command, as in `org apply`
 * @throws {UserError} `LOCKED`
 */
export async function withOrgLock<T>(
  { organisation, what }: { readonly organisation: string; readonly what: string },
  input: Input,
  context: CommandContext,
  work: (lock: OrganisationLock) => Promise<T>,
): Promise<T> {
  const patienceMs = patienceOf(input)
  const { client } = await context.connect()
  const options = { what, patienceMs, signal: context.signal, onWait: tellOfWait(context) }
  return withOrganisationLock(client, organisation, options, async ({ hasLock, ...lock }) => {
    const result = await work(lock)
    if (!hasLock) {
      context.note(
        'note: without the right to leases in arena-system, others could have changed it at the same time',
      )
    }
    return result
  })
}

/** What a command works with that changes an organisation and its file. */
export interface OrgRun {
  readonly loaded: LoadedOrg
  readonly lock: OrganisationLock
  readonly input: Input
  readonly context: CommandContext
}

/** The same for the organisation of `-f`, with its file as it is then: another command may have changed it just before. */
export async function withLoadedOrg<T>(
  first: LoadedOrg,
  what: string,
  { input, context }: { readonly input: Input; readonly context: CommandContext },
  work: (run: OrgRun) => Promise<T>,
): Promise<T> {
  return withOrgLock({ organisation: first.org.name, what }, input, context, async (lock) => {
    const isSame = (await readOrgText(first.path, first.name)) === first.text
    return work({ loaded: isSame ? first : await loadOrg(input, context), lock, input, context })
  })
}

/**
 * How long `--wait` lets others finish who change the same thing, in milliseconds.
 *
 * @throws {UserError} `USAGE`
 */
function patienceOf(input: Input): number {
  const typed = input.text('wait') ?? '30s'
  const timeMs = parseDurationMs(typed)
  if (timeMs !== undefined && timeMs >= 0) return timeMs
  throw new UserError('USAGE', `--wait "${typed}" is no duration`, { hint: 'as in: --wait 2m, or --wait 0s' })
}

/** Says for whom a command waits. */
function tellOfWait(context: CommandContext): (holder: LockHolder) => void {
  return (holder) => context.note(`waiting for ${describeHolder(holder)}`)
}
