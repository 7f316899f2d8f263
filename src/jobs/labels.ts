import { createHash } from 'node:crypto'

/** Labels and annotations of jobs and their pods. Those of the original tool are kept, so that it finds them too. */
export const jobLabels = {
  app: 'app',
  release: 'release',
  createdBy: 'createdBy',
  heritage: 'heritage',
  /** Short name of the person whose job it is. */
  owner: 'arena.dev/owner',
  /** MD5 of the user name, as the original tool computes it. */
  userId: 'arena.kubeflow.org/uid',
  gangName: 'pod-group.scheduling.sigs.k8s.io/name',
  gangSize: 'pod-group.scheduling.sigs.k8s.io/min-available',
  replicaType: 'training.kubeflow.org/replica-type',
  replicaIndex: 'training.kubeflow.org/replica-index',
} as const

/** Annotations of jobs; those of the original tool keep their names. */
export const jobAnnotations = {
  username: 'arena.dev/username',
  originalUsername: 'arena.kubeflow.org/username',
  requestedGpus: 'requestGPUsOfJobOwner',
  isStandalone: 'arena.kubeflow.org/disable-tf-config',
  roleSequence: 'job-role-sequence',
  suspendForQueue: 'scheduling.x-k8s.io/suspend',
} as const

/** Where tenancy writes what jobs of a user and a group run as. */
export const identityAnnotations = {
  uid: 'arena.dev/uid',
  gid: 'arena.dev/gid',
  /** Supplementary groups, as `10001,1234567890`. */
  groups: 'arena.dev/groups',
  /** On a claim: `read` or `write`. */
  access: 'arena.dev/access',
} as const

/** Value of the node label that tells how its containers run. */
export const runtimeLabel = 'arena.dev/runtime'

/** The id of a user as the original tool derives it from the name. */
export function userIdOf(username: string): string {
  return createHash('md5').update(username).digest('hex')
}
