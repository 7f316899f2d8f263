import type { ClusterView } from '../filter.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo, PodTerm } from '../pod-info.ts'
import type { Score } from '../score.ts'

// A running pod's required affinity also counts a little for pods it would like to have near.
const hardAffinityWeight = 1

/** Follows preferred affinity and anti-affinity, the pod's own and that of pods already running. */
export const preferredPods: Score = {
  name: 'InterPodAffinity',
  weight: 2,
  scale: 'range',
  prepare(pod, cluster) {
    const totals = new Map<string, number>()
    if (pod.preferredAffinity.length > 0 || pod.preferredAntiAffinity.length > 0) {
      for (const node of cluster.nodes)
        for (const other of node.pods.values()) own(totals, pod, other, node, cluster)
    }
    for (const node of cluster.nodesWithTerms) {
      for (const other of node.withTerms) theirs(totals, pod, other, node, cluster)
    }
    if (totals.size === 0) return undefined
    return (node) => {
      let total = 0
      for (const [key, value] of Object.entries(node.labels)) total += totals.get(`${key}=${value}`) ?? 0
      return total
    }
  },
}

function own(
  totals: Map<string, number>,
  pod: PodInfo,
  other: PodInfo,
  node: NodeInfo,
  cluster: ClusterView,
): void {
  for (const term of pod.preferredAffinity) count(totals, term, other, node, cluster, term.weight)
  for (const term of pod.preferredAntiAffinity) count(totals, term, other, node, cluster, -term.weight)
}

function theirs(
  totals: Map<string, number>,
  pod: PodInfo,
  other: PodInfo,
  node: NodeInfo,
  cluster: ClusterView,
): void {
  for (const term of other.affinity) count(totals, term, pod, node, cluster, hardAffinityWeight)
  for (const term of other.preferredAffinity) count(totals, term, pod, node, cluster, term.weight)
  for (const term of other.preferredAntiAffinity) count(totals, term, pod, node, cluster, -term.weight)
}

function count(
  totals: Map<string, number>,
  term: PodTerm,
  matched: PodInfo,
  node: NodeInfo,
  cluster: ClusterView,
  weight: number,
): void {
  const value = node.labels[term.topologyKey]
  if (value === undefined || !term.matches(matched, cluster.namespaceLabels)) return
  const place = `${term.topologyKey}=${value}`
  totals.set(place, (totals.get(place) ?? 0) + weight)
}
