import { tolerates } from '../../../kube/index.ts'
import type { Score } from '../score.ts'

/** Avoids nodes with `PreferNoSchedule` taints that the pod does not tolerate. */
export const preferredTaints: Score = {
  name: 'TaintToleration',
  weight: 3,
  scale: 'reversed',
  prepare(pod, _cluster, feasible) {
    if (feasible.every((node) => node.taints.length === 0)) return undefined
    const tolerations = pod.tolerations.filter(({ effect }) => !effect || effect === 'PreferNoSchedule')
    return (node) =>
      node.taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerates(tolerations, taint))
        .length
  },
}

/** Follows the pod's preferred node affinity. */
export const preferredNodes: Score = {
  name: 'NodeAffinity',
  weight: 2,
  scale: 'largest',
  prepare(pod) {
    if (pod.preferredNodes.length === 0) return undefined
    return (node) =>
      pod.preferredNodes.reduce(
        (total, term) => total + (term.matches(node.labels, node.name) ? term.weight : 0),
        0,
      )
  },
}
