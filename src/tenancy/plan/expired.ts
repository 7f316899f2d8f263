import { labels } from '../objects/ownership.ts'
import { hasExpired, type Org } from '../org.ts'

/** Tells, from the labels of an object, whether the file gave it until a day that has passed. */
export function expiredGrants(org: Org, now: Date): (about: Readonly<Record<string, string>>) => boolean {
  const expired = new Set<string>()
  for (const group of org.groups) {
    for (const { user, role, until } of group.members) {
      if (hasExpired(until, now)) expired.add(`role ${group.name} ${user} ${role}`)
    }
  }
  for (const volume of org.volumes) {
    for (const { group, until } of volume.grants) {
      if (hasExpired(until, now)) expired.add(`volume ${group} ${volume.name}`)
    }
  }
  return (about) => {
    const group = about[labels.group] ?? ''
    const volume = about[labels.volume]
    if (volume !== undefined) return expired.has(`volume ${group} ${volume}`)
    return expired.has(`role ${group} ${about[labels.user] ?? ''} ${about[labels.role] ?? ''}`)
  }
}
