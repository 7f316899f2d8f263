import { shortQuotaKey } from '../file/quota-keys.ts'
import { annotations, labels } from '../objects/ownership.ts'
import type { Change } from './change.ts'

type Named = Pick<Change, 'action' | 'type' | 'name' | 'labels'>

/** What a change of an object means, in words of the organisation rather than of Kubernetes. */
export function meaningOf(change: Named, object: object | undefined): string {
  const { action, type, labels: found } = change
  const group = found[labels.group] ?? ''
  const user = found[labels.user]
  const role = found[labels.role]
  const isNew = action === 'create' || action === 'adopt'
  const isGone = action === 'delete'
  switch (type.kind) {
    case 'Namespace':
      if (isGone) return `group ${change.name} goes, with everything in it`
      return isNew ? `group ${change.name} comes` : `group ${change.name} is set right`
    case 'ServiceAccount':
      if (isGone) return `${change.name} loses the account in ${group}`
      return isNew
        ? `${change.name} gets an account in ${group}`
        : `the account of ${change.name} is set right`
    case 'RoleBinding':
      if (role === undefined) return ownAccount(user ?? change.name, action)
      if (isGone) return `${user} loses the role ${role} in ${group}`
      return isNew
        ? `${user} gains the role ${role} in ${group}${endOf(object)}`
        : `the role ${role} of ${user} in ${group} is set right`
    case 'Role':
      if (role === undefined) return ownAccount(user ?? change.name, action)
      if (isGone) return `role ${role} goes from ${group}`
      return isNew ? `role ${role} comes to ${group}` : `role ${role} of ${group} is set right`
    case 'ResourceQuota':
      return isGone ? `${group} is no longer limited` : `${group} is limited to ${limits(object)}`
    case 'PersistentVolume':
      return `storage behind volume ${found[labels.volume] ?? change.name} for ${group}`
    case 'PersistentVolumeClaim': {
      const volume = found[labels.volume] ?? change.name
      if (isGone) return `${group} loses volume ${volume}`
      const access = accessOf(object)
      if (action === 'replace') return `${group} gets volume ${volume} anew, for ${access}`
      return isNew
        ? `${group} gains volume ${volume}, for ${access}${endOf(object)}`
        : `volume ${volume} of ${group} is set right`
    }
    case 'ClusterRole':
    case 'ClusterRoleBinding':
      return 'what all users see of the cluster: nodes and classes'
    default:
      return `${type.kind} ${change.name}`
  }
}

/** Objects that only serve another one that is shown. */
export function isSupporting(change: Pick<Change, 'type' | 'action' | 'labels'>): boolean {
  switch (change.type.kind) {
    case 'Role':
    case 'PersistentVolume':
      return change.action !== 'update'
    case 'ClusterRole':
    case 'ClusterRoleBinding':
      return true
    case 'RoleBinding':
      return change.labels[labels.role] === undefined
    default:
      return false
  }
}

/** What a change of the last day of a grant means. */
export function newEnd({ labels: found, object }: Pick<Change, 'labels' | 'object'>): string {
  const group = found[labels.group] ?? ''
  const volume = found[labels.volume]
  const end = endOf(object) || ' without an end'
  if (volume !== undefined) return `${group} has volume ${volume}, for ${accessOf(object)},${end}`
  return `${found[labels.user] ?? ''} has the role ${found[labels.role] ?? ''} in ${group}${end}`
}

/** ` until 2027-03-31`, or nothing for what has no end. */
function endOf(object: object | undefined): string {
  const notes = field(field(object, 'metadata'), 'annotations')
  const until: unknown = notes === undefined ? undefined : Reflect.get(notes, annotations.until)
  return typeof until === 'string' ? ` until ${until}` : ''
}

function ownAccount(user: string, action: Change['action']): string {
  return action === 'delete' ? `${user} no longer renews a token` : `${user} may renew their own token`
}

function limits(object: object | undefined): string {
  const hard = field(field(object, 'spec'), 'hard')
  const seen = new Map<string, string>()
  for (const [key, value] of Object.entries(hard ?? {})) seen.set(shortQuotaKey(key), String(value))
  return [...seen].map(([key, value]) => `${key} ${value}`).join(', ')
}

export function accessOf(object: object | undefined): string {
  const access: unknown = Reflect.get(
    field(field(object, 'metadata'), 'annotations') ?? {},
    annotations.access,
  )
  return access === 'read' ? 'reading' : 'reading and writing'
}

function field(object: object | undefined, name: string): object | undefined {
  const value: unknown = object === undefined ? undefined : Reflect.get(object, name)
  return typeof value === 'object' && value !== null ? value : undefined
}
