import type { PolicyRule } from '../../kube/index.ts'
import type { DesiredObject } from '../objects/desired.ts'
import { labels } from '../objects/ownership.ts'
import { claimName, hasExpired, type Org } from '../org.ts'
import { type Change, keyOf } from './change.ts'
import { expiredGrants } from './expired.ts'
import { fieldsOf } from './fields.ts'
import { lastWriter, type Live, type LiveObject } from './live.ts'
import { meaningOf } from './meaning.ts'
import { covers, isMadeByArena, rulesOf } from './rights.ts'

/** Objects of the organisation that its file no longer asks for. */
export function deletions(org: Org, desired: readonly DesiredObject[], live: Live, now: Date): Change[] {
  const wanted = new Set(desired.map(keyOf))
  const goingNamespaces = new Set<string>()
  for (const object of live.owned.values()) {
    if (object.type.kind === 'Namespace' && !wanted.has(keyOf(object))) goingNamespaces.add(object.name)
  }
  const expired = expiredGrants(org, now)
  const homes = new Map(org.users.map((user) => [user.name, user.home]))
  const volumes = new Map(
    org.volumes.flatMap((volume) =>
      volume.grants.map(({ group }) => [`${group}/${volume.name}`, claimName(volume, group)] as const),
    ),
  )
  const rules = new Map(
    desired
      .filter(({ type }) => type.kind === 'Role')
      .map((role) => [`${role.namespace}/${role.labels[labels.role] ?? ''}`, rulesOf(role.object)]),
  )
  const kept = rolesKept(org, now)
  const found: Change[] = []
  for (const object of live.owned.values()) {
    if (wanted.has(keyOf(object)) || object.metadata.deletionTimestamp !== undefined) continue
    const about = object.metadata.labels ?? {}
    const namespace = object.namespace
    // These go with their namespace; accounts and bindings are named all the same, as people lose by them.
    const goesAlong = ['Role', 'ResourceQuota', 'PersistentVolumeClaim'].includes(object.type.kind)
    if (namespace !== undefined && goingNamespaces.has(namespace) && goesAlong) continue
    const stays = kept.get(`${about[labels.group] ?? ''}/${about[labels.user] ?? ''}`)
    const isExchange =
      stays !== undefined && object.type.kind === 'RoleBinding' && about[labels.role] !== undefined
    const loss = expired(about)
      ? undefined
      : isExchange
        ? exchangeLoss(object, about, { stays, rules, live })
        : lossOf(object, about, { homes, volumes })
    const writer = lastWriter(object.metadata)
    const gone = { action: 'delete' as const, type: object.type, name: object.name, labels: about }
    found.push({
      ...gone,
      ...(namespace !== undefined && { namespace }),
      meaning: `${meaningOf(gone, object.object)}${expired(about) ? ': the grant expired' : ''}`,
      ...(expired(about) && { hasExpired: true }),
      details: [],
      uid: object.metadata.uid ?? '',
      ...(loss !== undefined && { loss }),
      ...(isExchange && { isExchange }),
      ...(writer !== undefined && { lastWriter: writer }),
    })
  }
  return found
}

/** The roles that people still hold, by group and user. */
function rolesKept(org: Org, now: Date): Map<string, string[]> {
  const kept = new Map<string, string[]>()
  for (const group of org.groups) {
    for (const { user, role, until } of group.members) {
      if (hasExpired(until, now)) continue
      const key = `${group.name}/${user}`
      kept.set(key, [...(kept.get(key) ?? []), role])
    }
  }
  return kept
}

/** What somebody loses whose other roles in the group stay: nothing when those allow as much. */
function exchangeLoss(
  binding: LiveObject,
  about: Readonly<Record<string, string>>,
  org: { stays: readonly string[]; rules: ReadonlyMap<string, readonly PolicyRule[]>; live: Live },
): string | undefined {
  const group = about[labels.group] ?? ''
  const role = about[labels.role] ?? ''
  const given = [...org.live.owned.values()].find(
    ({ type, namespace, metadata }) =>
      type.kind === 'Role' && namespace === binding.namespace && metadata.labels?.[labels.role] === role,
  )
  const held = org.stays.flatMap((each) => org.rules.get(`${group}/${each}`) ?? [])
  // A role given by hand is taken back: the file never gave it.
  if (!isMadeByArena(binding.metadata) || given === undefined || covers(held, rulesOf(given.object))) {
    return undefined
  }
  return `${about[labels.user]} is only ${org.stays.join(' and ')} in ${group} from now on, no longer ${role}`
}

function lossOf(
  object: LiveObject,
  about: Readonly<Record<string, string>>,
  org: {
    homes: ReadonlyMap<string, string>
    volumes: ReadonlyMap<string, string>
  },
): string | undefined {
  const group = about[labels.group] ?? ''
  const user = about[labels.user] ?? ''
  switch (object.type.kind) {
    case 'Namespace':
      return `group ${object.name} is deleted with its jobs and claims`
    case 'ServiceAccount': {
      if (!isMadeByArena(object.metadata)) return undefined
      const home = org.homes.get(user)
      return home === undefined
        ? `${user} can no longer sign in`
        : `${user} moves from ${group} to ${home} and needs a new kubeconfig`
    }
    case 'RoleBinding':
      if (about[labels.role] === undefined || !isMadeByArena(object.metadata)) return undefined
      return `${user} can no longer work in ${group}`
    case 'PersistentVolumeClaim': {
      const volume = about[labels.volume] ?? object.name
      const renamed = org.volumes.get(`${group}/${volume}`)
      if (renamed !== undefined) {
        return `volume ${volume} of ${group} is called ${renamed} from now on; jobs that name ${object.name} no longer start`
      }
      const isDynamic = Boolean(fieldsOf(object.object['spec'])['storageClassName'])
      const end = isDynamic ? '; its storage class may delete the data' : '; the data stays where it is'
      return `${group} loses volume ${volume}${end}`
    }
    default:
      return undefined
  }
}
