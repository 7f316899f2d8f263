import type { ResourceQuota } from '../../kube/index.ts'
import type { Group, Org } from '../org.ts'
import { ownerLabels } from './ownership.ts'

/** A group's quota; none when nothing is limited. */
export function resourceQuotaOf(org: Org, group: Group): ResourceQuota | undefined {
  if (Object.keys(group.quota).length === 0) return undefined
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: {
      name: `${group.name}-compute-resources`,
      namespace: group.name,
      labels: ownerLabels(org, { group: group.name }),
    },
    spec: { hard: { ...group.quota } },
  }
}
