import { kinds, type ResourceType } from '../../kube/index.ts'
import { builtinRoles, hasExpired, type Org } from '../org.ts'
import { clusterRoleBindingOf, clusterRoleOf } from './cluster-role.ts'
import { memberGids } from './gids.ts'
import { namespaceOf } from './namespace.ts'
import { persistentVolumeClaimOf } from './persistent-volume-claim.ts'
import { persistentVolumeOf } from './persistent-volume.ts'
import { resourceQuotaOf } from './resource-quota.ts'
import { roleBindingOf, selfRoleBindingOf } from './role-binding.ts'
import { roleOf, selfRoleOf } from './role.ts'
import { serviceAccountOf } from './service-account.ts'

/** One object that the organisation file asks for. */
export interface DesiredObject {
  readonly type: ResourceType
  readonly namespace?: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Every field that Arena owns, ready for server-side apply. */
  readonly object: object
}

/** The kinds that an organisation file rules, each listed once per plan. */
export const ruledKinds: readonly ResourceType[] = [
  kinds.namespaces,
  kinds.serviceAccounts,
  kinds.roles,
  kinds.roleBindings,
  kinds.clusterRoles,
  kinds.clusterRoleBindings,
  kinds.resourceQuotas,
  kinds.persistentVolumes,
  kinds.persistentVolumeClaims,
].map(untyped)

/** Forgets the shape of a kind's objects, for code that treats all kinds alike. */
function untyped(type: ResourceType<unknown>): ResourceType {
  const { group, version, plural, kind, namespaced } = type
  return { group, version, plural, kind, namespaced }
}

/** What the builders' results, of many shapes, have in common. */
interface Described {
  metadata?: { name?: string; namespace?: string; labels?: Record<string, string> }
}

/** Everything that the file asks for on a day: grants that have expired ask for nothing. */
export function desiredObjects(org: Org, now: Date): DesiredObject[] {
  const users = new Map(org.users.map((user) => [user.name, user]))
  const desired: DesiredObject[] = []
  const add = (type: ResourceType<unknown>, object: Described | undefined): void => {
    if (object === undefined) return
    const { name = '', namespace, labels = {} } = object.metadata ?? {}
    desired.push({ type: untyped(type), name, labels, object, ...(namespace !== undefined && { namespace }) })
  }
  add(kinds.clusterRoles, clusterRoleOf(org))
  add(kinds.clusterRoleBindings, clusterRoleBindingOf(org))
  const gids = memberGids(org, now)
  for (const group of org.groups) {
    add(kinds.namespaces, namespaceOf(org, group, now))
    add(kinds.resourceQuotas, resourceQuotaOf(org, group))
    const held = new Set<string>([...builtinRoles, ...group.members.map((member) => member.role)])
    for (const role of held) add(kinds.roles, roleOf(org, group, role))
    for (const membership of group.members) {
      const user = users.get(membership.user)
      if (user === undefined || hasExpired(membership.until, now)) continue
      add(kinds.roleBindings, roleBindingOf(org, group, membership, user))
    }
  }
  for (const user of org.users) {
    add(kinds.serviceAccounts, serviceAccountOf(org, user, gids(user)))
    add(kinds.roles, selfRoleOf(org, user))
    add(kinds.roleBindings, selfRoleBindingOf(org, user))
  }
  for (const volume of org.volumes) {
    for (const grant of volume.grants) {
      if (hasExpired(grant.until, now)) continue
      add(kinds.persistentVolumes, persistentVolumeOf(org, volume, grant))
      add(kinds.persistentVolumeClaims, persistentVolumeClaimOf(org, volume, grant))
    }
  }
  return desired
}
