import { UserError } from '../../errors.ts'
import type { Access, Group, Membership, Org, User, Volume } from '../org.ts'
import { nearest } from './checks/report.ts'
import type { Edit } from './edit.ts'
import { quotaKeys, shortQuotaKey } from './quota-keys.ts'

/**
 * The small changes that have commands of their own, as edits of the file. What they make of the file is checked as any
 * other file; here only what they refer to must exist.
 */

/** A user to be added. */
export interface NewUser {
  readonly name: string
  /** Left out: the next one that is free. */
  readonly uid?: number
  /** Ids that are not free, though nobody in the file has them. */
  readonly usedIds?: Iterable<number>
  readonly group: string
  readonly role: string
  readonly fullName?: string
  readonly email?: string
  readonly sshKeys?: readonly string[]
}

const firstUid = 20001
const firstGid = 10001

/** The edits that add a user to a group. @throws {UserError} when the user is there or the group is not */
export function addUser(org: Org, user: NewUser): Edit[] {
  if (org.users.some((each) => each.name === user.name)) throw exists('user', user.name)
  groupNamed(org, user.group)
  const uid = user.uid ?? nextFree([...org.users.map((each) => each.uid), ...(user.usedIds ?? [])], firstUid)
  return [
    {
      path: ['users', user.name],
      value: {
        uid,
        ...(user.fullName !== undefined && { name: user.fullName }),
        ...(user.email !== undefined && { email: user.email }),
        ...(user.sshKeys !== undefined && user.sshKeys.length > 0 && { sshKeys: [...user.sshKeys] }),
      },
    },
    { path: ['groups', user.group, 'members', user.name], value: user.role },
  ]
}

/** Takes a user out of the file altogether. */
export function removeUser(org: Org, name: string): Edit[] {
  userNamed(org, name)
  const groups = org.groups.filter((group) => group.members.some((member) => member.user === name))
  return [
    { path: ['users', name], value: undefined },
    ...groups.map((group) => ({ path: ['groups', group.name, 'members', name], value: undefined })),
  ]
}

/**
 * Takes a user from one group (the home group unless said otherwise) to another. Unless said otherwise the roles stay
 * the same, and end when they would have; those that the user has in the other group already stay as well.
 */
export function moveUser(
  org: Org,
  name: string,
  to: string,
  options: { from?: string; role?: string } = {},
): Edit[] {
  const user = userNamed(org, name)
  const target = groupNamed(org, to)
  const from = groupNamed(org, options.from ?? user.home)
  const old = from.members.filter((member) => member.user === name)
  if (old.length === 0) throw notMember(name, from.name)
  if (from.name === to) {
    throw new UserError('ALREADY_EXISTS', `user "${name}" is in group "${to}" already`, {
      hint: 'name another group; another role there is given with: arena user grant --only; what was interrupted goes on with: arena org apply',
    })
  }
  const held = target.members.filter((member) => member.user === name)
  const brought = old.filter(({ role }) => !held.some((member) => member.role === role))
  return [
    { path: ['groups', from.name, 'members', name], value: undefined },
    { path: ['groups', to, 'members', name], value: options.role ?? memberEntry([...held, ...brought]) },
    // Without a stated home it follows the groups of the file, in their order.
    ...(user.home === from.name ? [{ path: ['users', name, 'home'], value: to }] : []),
  ]
}

/** Adds a role to those that a user has in a group, or with `only` puts it in their place. */
export function grantRole(
  org: Org,
  grant: { user: string; group: string; role: string; until?: string; only?: boolean },
): Edit[] {
  userNamed(org, grant.user)
  const group = groupNamed(org, grant.group)
  const others = group.members.filter(
    (member) => grant.only !== true && member.user === grant.user && member.role !== grant.role,
  )
  const entry = {
    user: grant.user,
    role: grant.role,
    ...(grant.until !== undefined && { until: grant.until }),
  }
  return [{ path: ['groups', group.name, 'members', grant.user], value: memberEntry([...others, entry]) }]
}

/**
 * Takes one role, or all of them, from a user in a group. When that was the home group, the next one becomes it.
 *
 * @throws {UserError} `USAGE` for the last role of all: an account has to live somewhere
 */
export function revokeRole(org: Org, revoked: { user: string; group: string; role?: string }): Edit[] {
  const user = userNamed(org, revoked.user)
  const group = groupNamed(org, revoked.group)
  const held = group.members.filter((member) => member.user === revoked.user)
  if (held.length === 0) throw notMember(revoked.user, group.name)
  const left = revoked.role === undefined ? [] : held.filter((member) => member.role !== revoked.role)
  if (left.length === held.length) {
    throw new UserError(
      'NOT_FOUND',
      `user "${revoked.user}" has no role "${revoked.role}" in group "${group.name}"`,
      {
        hint: `roles held there: ${held.map((member) => member.role).join(', ')}`,
      },
    )
  }
  const edit = { path: ['groups', group.name, 'members', revoked.user], value: memberEntry(left) }
  if (left.length > 0 || user.home !== group.name) return [edit]
  const next = org.groups.find(
    ({ name, members }) => name !== group.name && members.some((member) => member.user === user.name),
  )
  if (next !== undefined) return [edit, { path: ['users', user.name, 'home'], value: next.name }]
  throw new UserError('USAGE', `user "${user.name}" has no role but in group "${group.name}"`, {
    hint: `to move them: arena user move ${user.name} GROUP; to let them go: arena user remove ${user.name}`,
  })
}

function memberEntry(members: readonly Membership[]): unknown {
  const entries = members.map(({ role, until }) => (until === undefined ? role : { role, until }))
  return entries.length > 1 ? entries : entries[0]
}

/** The edits that add a group. @throws {UserError} when it is there */
export function addGroup(
  org: Org,
  group: { name: string; gid?: number; quota: Readonly<Record<string, string>> },
): Edit[] {
  if (org.groups.some((each) => each.name === group.name)) throw exists('group', group.name)
  const gid =
    group.gid ??
    nextFree(
      org.groups.map((each) => each.gid),
      firstGid,
    )
  const quota = Object.entries(group.quota).map(([key, value]) => [key, plainNumber(value)])
  return [
    {
      path: ['groups', group.name],
      value: { gid, ...(quota.length > 0 && { quota: Object.fromEntries(quota) }), members: {} },
    },
  ]
}

/** Sets some limits of a group; `none` lifts one. The others stay. */
export function setQuota(org: Org, name: string, limits: Readonly<Record<string, string>>): Edit[] {
  const group = groupNamed(org, name)
  return Object.entries(limits).flatMap(([key, value]): Edit[] => {
    const quota = ['groups', group.name, 'quota']
    const lift = (name: string): Edit => ({ path: [...quota, name], value: undefined })
    const isSet = quotaKeys(key).some((meant) => group.quota[meant] !== undefined)
    const others = isSet ? otherSpellings(key).map(lift) : []
    if (value !== 'none') return [...others, { path: [...quota, key], value: plainNumber(value) }]
    return isSet ? [...others, lift(key)] : []
  })
}

/** How a file may write a limit otherwise, with no other meaning: `requests.cpu` for `cpu`. */
function otherSpellings(key: string): string[] {
  const meant = quotaKeys(key)
  const short = meant.map(shortQuotaKey).filter((each) => quotaKeys(each).length === meant.length)
  return [...new Set([...meant, ...short])].filter((each) => each !== key)
}

function plainNumber(text: string): string | number {
  return /^\d{1,15}$/.test(text) ? Number(text) : text
}

/** A volume to be added. */
export interface NewVolume {
  readonly name: string
  readonly size: string
  readonly access: Readonly<Record<string, Access>>
  readonly source: object
  readonly description?: string
  readonly owner?: string
}

/** The edits that add a volume. @throws {UserError} when it is there or a group is not */
export function addVolume(org: Org, volume: NewVolume): Edit[] {
  if (org.volumes.some((each) => each.name === volume.name)) throw exists('volume', volume.name)
  for (const group of Object.keys(volume.access)) groupNamed(org, group)
  const { name, ...entry } = volume
  return [{ path: ['volumes', name], value: entry }]
}

/** The edits that let a group use a volume, or change how. @throws {UserError} `NOT_FOUND` */
export function grantVolume(
  org: Org,
  grant: { volume: string; group: string; access: Access; until?: string },
): Edit[] {
  const volume = volumeNamed(org, grant.volume)
  const group = groupNamed(org, grant.group)
  const value = grant.until === undefined ? grant.access : { access: grant.access, until: grant.until }
  return [{ path: ['volumes', volume.name, 'access', group.name], value }]
}

/** The edits that take a volume from a group. @throws {UserError} `NOT_FOUND` when it does not have it */
export function revokeVolume(org: Org, revoked: { volume: string; group: string }): Edit[] {
  const volume = volumeNamed(org, revoked.volume)
  if (!volume.grants.some((grant) => grant.group === revoked.group)) {
    throw new UserError('NOT_FOUND', `volume "${volume.name}" is not granted to group "${revoked.group}"`, {
      hint: `it is granted to: ${volume.grants.map((grant) => grant.group).join(', ')}`,
    })
  }
  return [{ path: ['volumes', volume.name, 'access', revoked.group], value: undefined }]
}

function nextFree(taken: readonly number[], first: number): number {
  return Math.max(first - 1, ...taken) + 1
}

/** A user of the file. @throws {UserError} `NOT_FOUND` */
export function userNamed(org: Org, name: string): User {
  return named('user', org.users, name)
}

function groupNamed(org: Org, name: string): Group {
  return named('group', org.groups, name)
}

function volumeNamed(org: Org, name: string): Volume {
  return named('volume', org.volumes, name)
}

function named<T extends { name: string }>(kind: string, all: readonly T[], name: string): T {
  const found = all.find((each) => each.name === name)
  if (found !== undefined) return found
  const similar = nearest(
    name,
    all.map((each) => each.name),
  )
  throw new UserError('NOT_FOUND', `${kind} "${name}" is not in the organisation file`, {
    hint: similar ? `did you mean "${similar}"?` : `known: ${shortList(all.map((each) => each.name))}`,
  })
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 10)
  if (names.length > shown.length) shown.push(`and ${names.length - shown.length} more`)
  return shown.join(', ') || 'none'
}

function exists(kind: string, name: string): UserError {
  return new UserError('ALREADY_EXISTS', `${kind} "${name}" is in the organisation file already`, {
    hint: 'choose another name, or change the entry in the file; what was interrupted goes on with: arena org apply',
  })
}

function notMember(user: string, group: string): UserError {
  return new UserError('NOT_FOUND', `user "${user}" is no member of group "${group}"`, {
    hint: 'see who is where with: arena group list',
  })
}
