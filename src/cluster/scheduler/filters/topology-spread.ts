import { tolerates } from '../../../kube/index.ts'
import type { ClusterView, Filter, Refusal } from '../filter.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo, SpreadConstraint } from '../pod-info.ts'

const name = 'PodTopologySpread'
const skewed: Refusal = {
  filter: name,
  reasons: ["node(s) didn't match pod topology spread constraints"],
  isHopeless: false,
}
const unlabelled: Refusal = {
  filter: name,
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  isHopeless: true,
}

export const topologySpread: Filter = {
  name,
  helpedBy: ['node', 'pod-gone', 'pod-placed'],
  prepare(pod, cluster) {
    const constraints = pod.spread.filter((constraint) => constraint.isHard)
    if (constraints.length === 0) return undefined
    const counted = constraints.map((constraint) => {
      const counts = countMatching(pod, constraint, constraints, cluster)
      const least = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values())
      return { constraint, counts, least, self: constraint.selects(pod.labels) ? 1 : 0 }
    })
    return (node) => {
      for (const { constraint, counts, least, self } of counted) {
        const value = node.labels[constraint.topologyKey]
        if (value === undefined) return unlabelled
        if ((counts.get(value) ?? 0) + self - least > constraint.maxSkew) return skewed
      }
      return undefined
    }
  },
}

/** Matching pods by place, over the nodes that the constraint takes into account. */
export function countMatching(
  pod: PodInfo,
  constraint: SpreadConstraint,
  together: readonly SpreadConstraint[],
  cluster: ClusterView,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const node of cluster.nodes) {
    const value = node.labels[constraint.topologyKey]
    if (value === undefined || !together.every((other) => node.labels[other.topologyKey] !== undefined))
      continue
    if (!isCounted(node, pod, constraint)) continue
    let count = 0
    for (const other of node.pods.values()) {
      if (other.namespace === pod.namespace && !other.isTerminating && constraint.selects(other.labels))
        count += 1
    }
    counts.set(value, (counts.get(value) ?? 0) + count)
  }
  return counts
}

function isCounted(node: NodeInfo, pod: PodInfo, constraint: SpreadConstraint): boolean {
  if (!constraint.ignoresNodeAffinity && pod.matchesNode?.(node.labels, node.name) === false) return false
  if (!constraint.honorsTaints) return true
  return node.taints.every(
    (taint) =>
      (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') || tolerates(pod.tolerations, taint),
  )
}
