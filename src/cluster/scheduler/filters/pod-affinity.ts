import type { ClusterView, Filter, NodeCheck, Refusal } from '../filter.ts'
import type { PodInfo, PodTerm } from '../pod-info.ts'

const name = 'InterPodAffinity'
const refuse = (reason: string, isHopeless: boolean): Refusal => ({
  filter: name,
  reasons: [reason],
  isHopeless,
})
const noAffinity = refuse("node(s) didn't match pod affinity rules", true)
const ownAnti = refuse("node(s) didn't match pod anti-affinity rules", false)
const othersAnti = refuse("node(s) didn't satisfy existing pods anti-affinity rules", false)

/** Places by node label: `key=value`. */
type Places = Set<string>
const place = (key: string, value: string): string => `${key}=${value}`

export const podAffinity: Filter = {
  name,
  helpedBy: ['node', 'pod-gone', 'pod-placed'],
  prepare(pod, cluster) {
    const closed = placesClosedByOthers(pod, cluster)
    const hasOwnTerms = pod.affinity.length > 0 || pod.antiAffinity.length > 0
    if (!hasOwnTerms && closed.size === 0) return undefined
    const own = hasOwnTerms ? ownTermsCheck(pod, cluster) : undefined
    return (node) => {
      const refusal = own?.(node)
      if (refusal !== undefined) return refusal
      if (closed.size > 0) {
        for (const [key, value] of Object.entries(node.labels)) {
          if (closed.has(place(key, value))) return othersAnti
        }
      }
      return undefined
    }
  },
}

/** Places where a running pod does not want this one. */
function placesClosedByOthers(pod: PodInfo, cluster: ClusterView): Places {
  const closed: Places = new Set()
  for (const node of cluster.nodesWithTerms) {
    for (const other of node.withTerms) {
      for (const term of other.antiAffinity) {
        const value = node.labels[term.topologyKey]
        if (value !== undefined && term.matches(pod, cluster.namespaceLabels)) {
          closed.add(place(term.topologyKey, value))
        }
      }
    }
  }
  return closed
}

function ownTermsCheck(pod: PodInfo, cluster: ClusterView): NodeCheck {
  const matchesTerm = (other: PodInfo, term: PodTerm): boolean => term.matches(other, cluster.namespaceLabels)
  const wanted: Places = new Set()
  const unwanted: Places = new Set()
  for (const node of cluster.nodes) {
    for (const other of node.pods.values()) {
      if (pod.affinity.length > 0 && pod.affinity.every((term) => matchesTerm(other, term))) {
        for (const { topologyKey } of pod.affinity) {
          const value = node.labels[topologyKey]
          if (value !== undefined) wanted.add(place(topologyKey, value))
        }
      }
      for (const term of pod.antiAffinity) {
        const value = node.labels[term.topologyKey]
        if (value !== undefined && matchesTerm(other, term)) unwanted.add(place(term.topologyKey, value))
      }
    }
  }
  // The first pod of a group that wants to be together has nobody to join: it may start anywhere.
  const isFirst = wanted.size === 0 && pod.affinity.every((term) => matchesTerm(pod, term))
  return (node) => {
    for (const { topologyKey } of pod.affinity) {
      const value = node.labels[topologyKey]
      if (value === undefined || (!isFirst && !wanted.has(place(topologyKey, value)))) return noAffinity
    }
    for (const { topologyKey } of pod.antiAffinity) {
      const value = node.labels[topologyKey]
      if (value !== undefined && unwanted.has(place(topologyKey, value))) return ownAnti
    }
    return undefined
  }
}
