import { type Group, hasExpired, type Org, type User } from '../org.ts'

/** The Linux groups of a group's jobs: its own, and those of the volumes it may use now. */
export function groupGids(org: Org, group: Group, now: Date): number[] {
  const ids = new Set([group.gid])
  for (const volume of org.volumes) {
    const isGranted = volume.grants.some(
      (grant) => grant.group === group.name && !hasExpired(grant.until, now),
    )
    if (isGranted) ids.add(volume.gid)
  }
  return [...ids].sort((a, b) => a - b)
}

/** Finds the Linux groups of a person, those of every group they are in now; one pass over the organisation for all. */
export function memberGids(org: Org, now: Date): (user: User) => number[] {
  const byGroup = new Map(org.groups.map((group) => [group.name, groupGids(org, group, now)]))
  const byUser = new Map<string, Set<number>>()
  const add = (user: string, group: string): void => {
    const ids = byUser.get(user) ?? new Set()
    for (const id of byGroup.get(group) ?? []) ids.add(id)
    byUser.set(user, ids)
  }
  for (const user of org.users) add(user.name, user.home)
  for (const group of org.groups) {
    for (const { user, until } of group.members) if (!hasExpired(until, now)) add(user, group.name)
  }
  return (user) => [...(byUser.get(user.name) ?? [])].sort((a, b) => a - b)
}
