import type { ClusterView } from './filter.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/** How good one node is; higher is better unless the score is reversed. Not yet between 0 and 100. */
export type NodeScore = (node: NodeInfo) => number

/** One view on which of the feasible nodes is best; one file each, listed in `scores/table.ts`. */
export interface Score {
  readonly name: string
  readonly weight: number
  /**
   * How raw values become 0..100: `none` when they already are, `largest` relative to the largest, `reversed` the same
   * with 0 as the best, `range` between smallest and largest, `range-reversed` with the smallest as the best.
   */
  readonly scale: 'none' | 'largest' | 'reversed' | 'range' | 'range-reversed'
  /** Undefined when it makes no difference between nodes for this pod. */
  prepare(pod: PodInfo, cluster: ClusterView, feasible: readonly NodeInfo[]): NodeScore | undefined
}

/** The best of the feasible nodes; the first of equals. */
export function bestNode(
  pod: PodInfo,
  feasible: readonly NodeInfo[],
  cluster: ClusterView,
  scores: readonly Score[],
): NodeInfo | undefined {
  if (feasible.length <= 1) return feasible[0]
  const totals = new Float64Array(feasible.length)
  for (const score of scores) {
    const scoreOf = score.prepare(pod, cluster, feasible)
    if (scoreOf === undefined) continue
    const values = feasible.map(scoreOf)
    const scaled = scaler(score.scale, values)
    for (let i = 0; i < values.length; i += 1) {
      totals[i] = (totals[i] ?? 0) + score.weight * scaled(values[i] ?? 0)
    }
  }
  let best = 0
  for (let i = 1; i < totals.length; i += 1) if ((totals[i] ?? 0) > (totals[best] ?? 0)) best = i
  return feasible[best]
}

function scaler(scale: Score['scale'], values: readonly number[]): (value: number) => number {
  if (scale === 'none') return (value) => value
  let most = -Infinity
  let least = Infinity
  for (const value of values) {
    if (value > most) most = value
    if (value < least) least = value
  }
  switch (scale) {
    case 'largest':
      return (value) => (most <= 0 ? 0 : (value * 100) / most)
    case 'reversed':
      return (value) => (most <= 0 ? 100 : 100 - (value * 100) / most)
    case 'range':
      return (value) => (most === least ? 0 : ((value - least) * 100) / (most - least))
    case 'range-reversed':
      return (value) => (most === 0 ? 100 : ((most + least - value) * 100) / most)
  }
}
