import { createHash } from 'node:crypto'
import type { Org } from '../org.ts'

/** Labels and annotations by which Arena's objects are known. */
export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  organisation: 'arena.dev/organisation',
  group: 'arena.dev/group',
  user: 'arena.dev/user',
  role: 'arena.dev/role',
  volume: 'arena.dev/volume',
} as const

/** Annotations under which objects remember what the file said of people and groups. */
export const annotations = {
  uid: 'arena.dev/uid',
  gid: 'arena.dev/gid',
  /** Supplementary Linux groups, as `10001,1234567890`. */
  groups: 'arena.dev/groups',
  user: 'arena.dev/user',
  fullName: 'arena.dev/full-name',
  email: 'arena.dev/email',
  /** `read` or `write`: what a claim may be mounted for. */
  access: 'arena.dev/access',
  until: 'arena.dev/until',
  /** Kubernetes' own: the Linux group of a volume, which every pod that mounts it gets. */
  volumeGid: 'pv.beta.kubernetes.io/gid',
  /** A directory that the node makes for the volume's group, with this mode. */
  directoryMode: 'arena.dev/directory-mode',
  /** Shown by `arena data list`. */
  description: 'description',
  owner: 'owner',
} as const

export const manager = 'arena'

/** An organisation's name as part of an object's name, other for each: labels may hold what names may not. */
export function nameOfOrganisation(organisation: string): string {
  const plain = organisation.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  if (plain === organisation) return plain
  return `${plain}-${createHash('sha256').update(organisation).digest('hex').slice(0, 8)}`
}

/** Selects what one organisation file brought about. */
export function ownershipSelector(organisation: string): string {
  return `${labels.managedBy}=${manager},${labels.organisation}=${organisation}`
}

/** The labels of an object, so that it is found again and its deletion can be put into words. */
export function ownerLabels(
  org: Pick<Org, 'name'>,
  about: { group?: string; user?: string; role?: string; volume?: string } = {},
): Record<string, string> {
  return {
    [labels.managedBy]: manager,
    [labels.organisation]: org.name,
    ...(about.group !== undefined && { [labels.group]: about.group }),
    ...(about.user !== undefined && { [labels.user]: about.user }),
    ...(about.role !== undefined && { [labels.role]: about.role }),
    ...(about.volume !== undefined && { [labels.volume]: about.volume }),
  }
}
