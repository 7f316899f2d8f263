import { type DesiredObject } from '../objects/desired.ts'
import { labels } from '../objects/ownership.ts'
import { claimName, type Org } from '../org.ts'
import { type Change, keyOf } from './change.ts'
import { expiredGrants } from './expired.ts'
import { fieldsOf } from './fields.ts'
import type { Live, LiveObject } from './live.ts'
import { meaningOf } from './meaning.ts'

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
  const roles = new Set(
    org.groups.flatMap((group) => group.members.map(({ user }) => `${group.name}/${user}`)),
  )
  const found: Change[] = []
  for (const object of live.owned.values()) {
    if (wanted.has(keyOf(object)) || object.metadata.deletionTimestamp !== undefined) continue
    const about = object.metadata.labels ?? {}
    const namespace = object.namespace
    // These go with their namespace; accounts and bindings are named all the same, as people lose by them.
    const goesAlong = ['Role', 'ResourceQuota', 'PersistentVolumeClaim'].includes(object.type.kind)
    if (namespace !== undefined && goingNamespaces.has(namespace) && goesAlong) continue
    const loss = expired(about) ? undefined : lossOf(object, about, { homes, roles, volumes })
    const gone = { action: 'delete' as const, type: object.type, name: object.name, labels: about }
    found.push({
      ...gone,
      ...(namespace !== undefined && { namespace }),
      meaning: `${meaningOf(gone, object.object)}${expired(about) ? ': the grant expired' : ''}`,
      details: [],
      uid: object.metadata.uid ?? '',
      ...(loss !== undefined && { loss }),
    })
  }
  return found
}

function lossOf(
  object: LiveObject,
  about: Readonly<Record<string, string>>,
  org: {
    homes: ReadonlyMap<string, string>
    roles: ReadonlySet<string>
    volumes: ReadonlyMap<string, string>
  },
): string | undefined {
  const group = about[labels.group] ?? ''
  const user = about[labels.user] ?? ''
  switch (object.type.kind) {
    case 'Namespace':
      return `group ${object.name} is deleted with its jobs and claims`
    case 'ServiceAccount': {
      const home = org.homes.get(user)
      return home === undefined
        ? `${user} can no longer sign in`
        : `${user} moves from ${group} to ${home} and needs a new kubeconfig`
    }
    case 'RoleBinding':
      if (about[labels.role] === undefined || org.roles.has(`${group}/${user}`)) return undefined
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
