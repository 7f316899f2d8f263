import { countMatching } from '../filters/topology-spread.ts'
import type { Score } from '../score.ts'

/** Spreads over places as far as the pod's soft constraints ask for it. */
export const softSpread: Score = {
  name: 'PodTopologySpread',
  weight: 2,
  scale: 'range-reversed',
  prepare(pod, cluster) {
    const constraints = pod.spread.filter((constraint) => !constraint.isHard)
    if (constraints.length === 0) return undefined
    const counted = constraints.map((constraint) => {
      const counts = countMatching(pod, constraint, constraints, cluster)
      // Few large places weigh as much as many small ones.
      return { constraint, counts, weight: Math.log(counts.size + 2) }
    })
    return (node) =>
      counted.reduce((total, { constraint, counts, weight }) => {
        const value = node.labels[constraint.topologyKey]
        if (value === undefined) return total
        return total + (counts.get(value) ?? 0) * weight + (constraint.maxSkew - 1)
      }, 0)
  },
}
