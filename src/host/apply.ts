import { randomInt } from 'node:crypto'
import { chmod, cp, lstat, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { findAccountIn, type HostAccount } from './account.ts'
import type { HostChange } from './change.ts'
import { describeHostChange } from './change.ts'
import { hashMark } from './plan.ts'
import { installKubeconfig, writeIntoHome } from './home-file.ts'
import { readRecord, writeRecord } from './record.ts'
import type { RunOptions } from './run.ts'
import { withSshKeys } from './ssh-keys.ts'
import { type HostState, type HostWorld, programDirectory } from './state.ts'
import type { WantedHost } from './wanted.ts'

/** What has become of one change. */
export interface HostOutcome {
  readonly change: HostChange
  readonly result: 'done' | 'failed'
  readonly reason?: string
  /** To be shown once, and never kept. */
  readonly oneTimePassword?: string
}

/** What an apply is given beside its plan. */
export interface HostApplyOptions {
  readonly signal: AbortSignal
  readonly onOutcome?: (outcome: HostOutcome) => void
  /** Passwords are shown after the run; {@link passwordsShown} is told of it then. */
  readonly showsLater?: boolean
  /** Makes the kubeconfig of a user. */
  readonly makeKubeconfig?: (user: string) => Promise<string>
}

/**
 * Makes the changes of a plan, one after the other, with the machine's own programs. Needs root. What failed is left for
 * the next run. Homes are never deleted.
 */
export async function applyHost(
  changes: readonly HostChange[],
  wanted: WantedHost,
  state: HostState,
  world: HostWorld,
  options: HostApplyOptions,
): Promise<HostOutcome[]> {
  const outcomes: HostOutcome[] = []
  // First, so that whoever is made before an interruption is locked all the same when they leave the file.
  await rememberUsers(wanted, world.root)
  for (const change of changes) {
    if (options.signal.aborted) break
    let outcome: HostOutcome
    try {
      const shown = await applyChange(change, wanted, state, world, options)
      outcome = { change, result: 'done', ...(shown !== undefined && { oneTimePassword: shown }) }
      await remember(change, world.root, wanted.organisation)
    } catch (error) {
      outcome = { change, result: 'failed', reason: reasonOf(error) }
    }
    outcomes.push(outcome)
    options.onOutcome?.(outcome)
    if (options.showsLater !== true) await passwordsShown([outcome], world, wanted.organisation)
  }
  return outcomes
}

/** The passwords of these outcomes are known from now on; others are made anew by the next run. */
export async function passwordsShown(
  outcomes: readonly HostOutcome[],
  { root }: HostWorld,
  organisation: string,
): Promise<void> {
  const shown = outcomes.flatMap(({ change, oneTimePassword }) =>
    oneTimePassword !== undefined && change.kind === 'set-one-time-password' ? [change.name] : [],
  )
  if (shown.length === 0) return
  const record = await readRecord(root, organisation)
  const firstPasswords = record.firstPasswords.filter((name) => !shown.includes(name))
  await writeRecord(root, organisation, { ...record, firstPasswords })
}

/** What the system or its programs refuse; our own faults are thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof UserError) return [error.message, error.hint].filter(Boolean).join(': ')
  if (error instanceof Error && 'syscall' in error) return error.message
  throw error
}

async function applyChange(
  change: HostChange,
  wanted: WantedHost,
  state: HostState,
  world: HostWorld,
  options: HostApplyOptions,
): Promise<string | undefined> {
  const { root } = world
  const prefix = root === '/' ? [] : ['--prefix', root]
  const chroot = root === '/' ? [] : ['--root', root]
  const must = (command: string, args: readonly string[], more: RunOptions = {}): Promise<void> =>
    mustSucceed(world, change, command, args, more)
  switch (change.kind) {
    case 'create-group':
      return void (await must('groupadd', [...prefix, '-g', String(change.gid), '--', change.name]))
    case 'create-account': {
      const { user } = change
      const ownGroup = change.ownGroup === 'new' ? ['-U'] : ['-g', user.name]
      const groups = user.groups.length > 0 ? ['-G', user.groups.join(',')] : []
      const comment = user.fullName === '' ? [] : ['-c', user.fullName]
      const home = ['-d', `/home/${user.name}`, '-m', '-K', 'HOME_MODE=0700']
      const ids = ['-u', String(user.uid), ...ownGroup, ...groups]
      await must('useradd', [...prefix, ...ids, '-s', user.shell, ...comment, ...home, '--', user.name])
      return undefined
    }
    case 'set-groups':
      return void (await must('usermod', [...prefix, '-G', change.groups.join(','), '--', change.name]))
    case 'set-shell':
      return void (await must('usermod', [...prefix, '-s', change.shell, '--', change.name]))
    case 'set-full-name':
      return void (await must('usermod', [...prefix, '-c', change.fullName, '--', change.name]))
    case 'lock':
      // Expired since 1970-01-02: keys and tickets do not get in either.
      return void (await must('usermod', [...prefix, '-L', '-e', '1', '--', change.name]))
    case 'unlock':
      await must('usermod', [...prefix, '-e', '', '--', change.name])
      if (/^!./.test(state.shadow.get(change.name)?.password ?? '')) {
        await must('usermod', [...prefix, '-U', '--', change.name])
      }
      return undefined
    case 'set-password-hash':
      return void (await must('chpasswd', [...chroot, '-e'], { input: `${change.name}:${change.hash}\n` }))
    case 'set-one-time-password': {
      const password = oneTimePassword()
      const record = await readRecord(root, wanted.organisation)
      const firstPasswords = [...new Set([...record.firstPasswords, change.name])].sort()
      await writeRecord(root, wanted.organisation, { ...record, firstPasswords })
      await must('chpasswd', [...chroot, '-c', 'SHA512'], { input: `${change.name}:${password}\n` })
      await must('chage', [...chroot, '-d', '0', '--', change.name])
      return password
    }
    case 'close-home':
      await chmod(join(root, change.home), 0o700)
      return undefined
    case 'set-ssh-keys': {
      const home = state.homes.get(change.name)
      const text = withSshKeys(home?.authorizedKeys, change.keys)
      const account = await accountOf(change.name, world)
      await writeIntoHome(world.run, account, { directory: '.ssh', name: 'authorized_keys', text })
      return undefined
    }
    case 'install-kubeconfig': {
      const text = await options.makeKubeconfig?.(change.name)
      if (text !== undefined) {
        await installKubeconfig(world.run, await accountOf(change.name, world), text)
      }
      return undefined
    }
    case 'install-program':
      await installProgram(root, wanted)
      return undefined
  }
}

const lockPatienceMs = 20_000

async function mustSucceed(
  world: HostWorld,
  change: HostChange,
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<void> {
  let { status, errors } = await world.run(command, args, options)
  // Another program changes accounts at this moment; it is done soon. Some wait for it themselves.
  const giveUpAt = performance.now() + lockPatienceMs
  while (status !== 0 && /cannot lock/.test(errors) && performance.now() < giveUpAt) {
    await setTimeout(100)
    ;({ status, errors } = await world.run(command, args, options))
  }
  if (status === 0) return
  throw new UserError(
    'HOST_CONFLICT',
    `${describeHostChange(change)}: ${command} failed with status ${status}`,
    {
      hint: errors.trim(),
    },
  )
}

/** An account as it is by now, with its home as seen from outside of the root that is worked on. */
async function accountOf(name: string, world: HostWorld): Promise<HostAccount> {
  const account = await findAccountIn(world, name)
  if (account !== undefined) return account
  throw new UserError('HOST_CONFLICT', `account "${name}" is not there`, {
    hint: 'see why it could not be made, then run this again',
  })
}

// Without letters and digits that look like others, as people type it from a screen or a sheet of paper.
const alphabet = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

function oneTimePassword(): string {
  const letters = Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)] ?? '')
  return letters.join('').replace(/(.{5})(?=.)/g, '$1-')
}

async function remember(change: HostChange, root: string, organisation: string): Promise<void> {
  const record = await readRecord(root, organisation)
  const added = (names: readonly string[], name: string): string[] => [...new Set([...names, name])].sort()
  if (change.kind === 'create-group') {
    await writeRecord(root, organisation, { ...record, groups: added(record.groups, change.name) })
  } else if (change.kind === 'set-password-hash') {
    await writeRecord(root, organisation, {
      ...record,
      hashes: { ...record.hashes, [change.name]: hashMark(change.hash) },
    })
  }
}

/** Whoever has been in the file is locked when they leave it, even if the account was made by hand before. */
async function rememberUsers(wanted: WantedHost, root: string): Promise<void> {
  const record = await readRecord(root, wanted.organisation)
  const users = [...new Set([...record.users, ...wanted.users.map((user) => user.name)])].sort()
  if (users.length > record.users.length) await writeRecord(root, wanted.organisation, { ...record, users })
}

async function installProgram(root: string, wanted: WantedHost): Promise<void> {
  if (wanted.program === undefined) return
  const target = join(root, programDirectory)
  const fresh = `${target}.new`
  await rm(fresh, { recursive: true, force: true })
  await cp(wanted.program.directory, fresh, { recursive: true, dereference: true })
  // Whatever the mask of whoever built it: everybody runs it, and root alone changes it.
  for (const name of await readdir(fresh)) await chmod(join(fresh, name), name === 'arena.js' ? 0o755 : 0o644)
  await chmod(fresh, 0o755)
  await rm(target, { recursive: true, force: true })
  await rename(fresh, target)
  const link = join(root, 'usr/local/bin/arena')
  await mkdir(join(root, 'usr/local/bin'), { recursive: true })
  if ((await lstat(link).catch(() => undefined)) !== undefined) await rm(link)
  await symlink('../lib/arena/arena.js', link)
  await mkdir(join(root, 'etc/bash_completion.d'), { recursive: true })
  const completion = join(root, 'etc/bash_completion.d/arena')
  await writeFile(completion, wanted.program.completion)
  await chmod(completion, 0o644)
}
