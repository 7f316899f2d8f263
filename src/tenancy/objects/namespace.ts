import type { Namespace } from '../../kube/index.ts'
import type { Group, Org } from '../org.ts'
import { annotations, labels, manager, ownerLabels } from './ownership.ts'
import { groupGids } from './gids.ts'

/** A group is a namespace. Jobs read their Linux group ids from it. */
export function namespaceOf(org: Org, group: Group, now: Date): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: group.name,
      labels: {
        ...ownerLabels(org, { group: group.name }),
        'pod-security.kubernetes.io/enforce': 'baseline',
      },
      annotations: {
        [annotations.gid]: String(group.gid),
        [annotations.groups]: groupGids(org, group, now).join(','),
      },
    },
  }
}

/** Where the history of the organisation is kept, out of reach of its users. */
export function systemNamespace(): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: systemNamespaceName, labels: { [labels.managedBy]: manager } },
  }
}

export const systemNamespaceName = 'arena-system'
