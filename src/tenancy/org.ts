import type { PolicyRule } from '../kube/index.ts'

/** An organisation as its file states it, checked: every name that is used is defined, every id is taken once. */
export interface Org {
  readonly name: string
  readonly users: readonly User[]
  readonly groups: readonly Group[]
  /** The organisation's own roles, beside {@link builtinRoles}. */
  readonly roles: readonly OwnRole[]
  readonly volumes: readonly Volume[]
}

/** A person of the file, with what the file leaves to its defaults. */
export interface User {
  readonly name: string
  /** Linux user id. */
  readonly uid: number
  /** The group in whose namespace the service account lives. */
  readonly home: string
  readonly fullName?: string
  readonly email?: string
  readonly sshKeys: readonly string[]
  readonly shell: string
  /** As `crypt` writes it; never a password. */
  readonly passwordHash?: string
}

/** A group of the file: its Linux group, its quota and its people. */
export interface Group {
  readonly name: string
  /** Linux group id. */
  readonly gid: number
  /** Kubernetes quota keys and canonical quantities. Empty: not limited. */
  readonly quota: Readonly<Record<string, string>>
  readonly members: readonly Membership[]
}

/** A role that somebody has in a group, and until when. */
export interface Membership {
  readonly user: string
  readonly role: string
  readonly until?: Expiry
}

/** A role that the file itself defines. */
export interface OwnRole {
  readonly name: string
  readonly rules: readonly PolicyRule[]
}

/** Storage that groups share. */
export interface Volume {
  readonly name: string
  /** Canonical quantity. */
  readonly size: string
  /** Who may use it, in the order of the file. More than one grant makes it a shared volume, with twin claims. */
  readonly grants: readonly Grant[]
  readonly source: Source
  /** The Linux group that owns the data: the using group's own, or one of the volume's own when shared. */
  readonly gid: number
  readonly description?: string
  readonly owner?: string
}

/** What a group may do with a volume. */
export type Access = 'read' | 'write'

/** The access of one group to a volume, and until when. */
export interface Grant {
  readonly group: string
  readonly access: Access
  readonly until?: Expiry
}

/** Where the data of a volume are. */
export type Source =
  | { readonly kind: 'nfs'; readonly server: string; readonly path: string }
  | {
      readonly kind: 'csi'
      readonly driver: string
      readonly volumeHandle: string
      readonly fsType?: string
      readonly volumeAttributes?: Readonly<Record<string, string>>
    }
  | { readonly kind: 'storageClass'; readonly name: string }
  | { readonly kind: 'hostPath'; readonly path: string }
  | { readonly kind: 'directory'; readonly path: string }

/** The last day, in UTC, on which a grant holds: `2027-03-31`. */
export type Expiry = string

/** The roles that need no definition. */
export const builtinRoles = ['lead', 'member', 'viewer'] as const

/** Has that last day passed? */
export function hasExpired(until: Expiry | undefined, now: Date): boolean {
  return until !== undefined && now.toISOString().slice(0, 10) > until
}

/** The name of the claim through which a group uses a volume. Expired grants count, so that no claim is renamed by time. */
export function claimName(volume: Volume, group: string): string {
  return volume.grants.length > 1 ? `${volume.name}-${group}` : volume.name
}
