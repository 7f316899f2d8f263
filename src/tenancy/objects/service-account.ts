import type { ServiceAccount } from '../../kube/index.ts'
import type { Org, User } from '../org.ts'
import { annotations, ownerLabels } from './ownership.ts'

/**
 * A user is a service account in the namespace of the home group.
 * `gids` are the Linux groups of the user beside the home group's own.
 */
export function serviceAccountOf(org: Org, user: User, gids: readonly number[]): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: user.name,
      namespace: user.home,
      labels: ownerLabels(org, { group: user.home, user: user.name }),
      annotations: {
        [annotations.user]: user.name,
        [annotations.uid]: String(user.uid),
        [annotations.groups]: gids.join(','),
        ...(user.fullName !== undefined && { [annotations.fullName]: user.fullName }),
        ...(user.email !== undefined && { [annotations.email]: user.email }),
      },
    },
    // Jobs run as the user: a token inside them would let the program of a job act as the person.
    automountServiceAccountToken: false,
  }
}
