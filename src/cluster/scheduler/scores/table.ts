import type { Score } from '../score.ts'
import { preferredPods } from './pod-affinity.ts'
import { preferredNodes, preferredTaints } from './preferences.ts'
import { balancedAllocation, leastAllocated } from './resources.ts'
import { softSpread } from './topology-spread.ts'

/** With the weights of Kubernetes' default profile. */
export const scores: readonly Score[] = [
  preferredTaints,
  preferredNodes,
  softSpread,
  preferredPods,
  leastAllocated,
  balancedAllocation,
]
