import { createHash } from 'node:crypto'
import type { HostChange } from './change.ts'
import { withSshKeys } from './ssh-keys.ts'
import type { HostGroup, HostState } from './state.ts'
import type { WantedHost, WantedUser } from './wanted.ts'

/** All that has to change on a host, in the order in which it is done. */
export interface HostPlan {
  readonly changes: readonly HostChange[]
  /** What stands in the way; with any of these nothing may be changed. */
  readonly conflicts: readonly { readonly message: string; readonly hint: string }[]
}

/** What a plan takes into account. */
export interface HostPlanOptions {
  /** Says whether an installed kubeconfig serves a user; left out when none are to be installed. */
  readonly isKubeconfigGood?: (user: string, text: string) => boolean
}

/** Compares the host with what the organisation asks for. Pure; every check is made before anything is changed. */
export function planHost(wanted: WantedHost, state: HostState, options: HostPlanOptions = {}): HostPlan {
  const conflicts = [
    ...wanted.groups.flatMap((group) => groupConflicts(group, state)),
    ...wanted.users.flatMap((user) => userConflicts(user, wanted, state)),
  ]
  const changes: HostChange[] = wanted.groups
    .filter((group) => !state.groups.has(group.name))
    .map(({ name, gid }) => ({ kind: 'create-group', name, gid }))
  for (const user of wanted.users) changes.push(...userChanges(user, wanted, state, options))
  for (const name of state.record.users) {
    const isWanted = wanted.users.some((user) => user.name === name)
    if (!isWanted && state.accounts.has(name) && !isLocked(name, state)) changes.push({ kind: 'lock', name })
  }
  if (wanted.program !== undefined && !state.hasProgram) changes.push({ kind: 'install-program' })
  if (changes.length > 0 && state.missingPrograms.length > 0) {
    conflicts.push({
      message: `this machine has no ${state.missingPrograms.join(', ')}`,
      hint: 'install the package that has them: passwd on Debian, shadow-utils on Fedora, shadow on Alpine',
    })
  }
  return { changes, conflicts }
}

function groupConflicts(group: { name: string; gid: number }, state: HostState): HostPlan['conflicts'] {
  const there = state.groups.get(group.name)
  if (there !== undefined) {
    if (there.gid === group.gid) return []
    return [
      {
        message: `group "${group.name}" exists on this host with the id ${there.gid}, not ${group.gid}`,
        hint: `set groups.${group.name}.gid to ${there.gid}, or change the group on the host`,
      },
    ]
  }
  const holder = holderOf(state.groups, group.gid)
  if (holder === undefined) return []
  return [
    {
      message: `group "${group.name}" needs the id ${group.gid}, which group "${holder.name}" has on this host`,
      hint: 'choose an id that is free on every client host',
    },
  ]
}

function userConflicts(user: WantedUser, wanted: WantedHost, state: HostState): HostPlan['conflicts'] {
  const conflicts: { message: string; hint: string }[] = []
  const there = state.accounts.get(user.name)
  const holder = [...state.accounts.values()].find((account) => account.uid === user.uid)
  if (there !== undefined && there.uid !== user.uid) {
    conflicts.push({
      message: `account "${user.name}" exists on this host with the id ${there.uid}, not ${user.uid}`,
      hint: `set users.${user.name}.uid to ${there.uid}, or choose another name`,
    })
  } else if (there === undefined && holder !== undefined) {
    conflicts.push({
      message: `account "${user.name}" needs the id ${user.uid}, which account "${holder.name}" has on this host`,
      hint: 'choose an id that is free on every client host',
    })
  }
  const home = state.homes.get(user.name)
  const owner = home?.found
  if (owner !== undefined && (owner.uid !== user.uid || !owner.isDirectory)) {
    conflicts.push({
      message: `home "${home?.path}" of "${user.name}" ${owner.isDirectory ? `belongs to the id ${owner.uid}` : 'is no directory'}`,
      hint: 'move it away, or give it to the account yourself',
    })
  }
  const isNew = there === undefined
  if (isNew && wanted.groups.some((group) => group.name === user.name)) {
    conflicts.push({
      message: `account "${user.name}" has the name of a group, but Linux gives every account a group of its own name`,
      hint: 'choose another name for one of the two',
    })
  }
  if (state.missingShells.has(user.shell)) {
    conflicts.push({
      message: `account "${user.name}" has the shell "${user.shell}", which is not on this host`,
      hint: `install it, or set users.${user.name}.shell`,
    })
  }
  return conflicts
}

function holderOf(groups: ReadonlyMap<string, HostGroup>, gid: number): HostGroup | undefined {
  return [...groups.values()].find((group) => group.gid === gid)
}

function userChanges(
  user: WantedUser,
  wanted: WantedHost,
  state: HostState,
  options: HostPlanOptions,
): HostChange[] {
  const { name } = user
  const there = state.accounts.get(name)
  const changes: HostChange[] = []
  if (there === undefined) {
    changes.push({ kind: 'create-account', user, ownGroup: state.groups.has(name) ? 'existing' : 'new' })
  } else {
    if (isLocked(name, state)) changes.push({ kind: 'unlock', name })
    if (there.shell !== user.shell) changes.push({ kind: 'set-shell', name, shell: user.shell })
    if (user.fullName !== '' && there.fullName !== user.fullName) {
      changes.push({ kind: 'set-full-name', name, fullName: user.fullName })
    }
    changes.push(...groupChanges(user, wanted, state))
    const home = state.homes.get(name)
    if (home?.found !== undefined && (home.found.mode & 0o077) !== 0) {
      changes.push({ kind: 'close-home', name, home: home.path })
    }
  }
  changes.push(...passwordChanges(user, wanted, state))
  const keys = state.homes.get(name)?.authorizedKeys
  if (withSshKeys(keys, user.sshKeys) !== (keys ?? '')) {
    changes.push({ kind: 'set-ssh-keys', name, keys: user.sshKeys })
  }
  const kubeconfig = state.homes.get(name)?.kubeconfig
  const { isKubeconfigGood } = options
  if (isKubeconfigGood && (kubeconfig === undefined || !isKubeconfigGood(name, kubeconfig))) {
    changes.push({ kind: 'install-kubeconfig', name })
  }
  return changes
}

/** Groups of the organisation follow the file; others that somebody gave on this host stay. */
function groupChanges(user: WantedUser, wanted: WantedHost, state: HostState): HostChange[] {
  const ours = new Set([...wanted.groups.map((group) => group.name), ...state.record.groups])
  const held = [...state.groups.values()]
    .filter((group) => group.members.includes(user.name))
    .map((group) => group.name)
  const missing = user.groups.filter((group) => !held.includes(group))
  const surplus = held.filter((group) => ours.has(group) && !user.groups.includes(group))
  if (missing.length === 0 && surplus.length === 0) return []
  const why = [
    ...(missing.length > 0 ? [`joins ${missing.join(', ')}`] : []),
    ...(surplus.length > 0 ? [`leaves ${surplus.join(', ')}`] : []),
  ].join(' and ')
  const groups = [...held.filter((group) => !surplus.includes(group)), ...missing]
  return [{ kind: 'set-groups', name: user.name, groups, why }]
}

function passwordChanges(user: WantedUser, wanted: WantedHost, state: HostState): HostChange[] {
  const { name, passwordHash } = user
  const current = state.shadow.get(name)?.password.replace(/^!/, '') ?? ''
  if (passwordHash !== undefined) {
    // A hash is set once: afterwards the person may have chosen a password of their own.
    return state.record.hashes[name] === hashMark(passwordHash) && hasPassword(current)
      ? []
      : [{ kind: 'set-password-hash', name, hash: passwordHash }]
  }
  const isKnown = hasPassword(current) && !state.record.firstPasswords.includes(name)
  if (wanted.firstPasswords === 'none' || isKnown) return []
  return [{ kind: 'set-one-time-password', name }]
}

function hasPassword(field: string): boolean {
  return field.startsWith('$') || field.length > 12
}

/** Recognises a hash without keeping it. */
export function hashMark(hash: string): string {
  return createHash('sha256').update(hash).digest('hex').slice(0, 16)
}

function isLocked(name: string, state: HostState): boolean {
  return state.shadow.get(name)?.expiresOnDay === 1
}
