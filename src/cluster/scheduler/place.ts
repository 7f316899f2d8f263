import { type ClusterView, type Filter, type NodeCheck, PodRefused, type Refusal } from './filter.ts'
import { filters } from './filters/table.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import { bestNode } from './score.ts'
import { scores } from './scores/table.ts'

/** Why a pod has no node. */
export interface Diagnosis {
  readonly nodeCount: number
  /** Set when no node was even looked at. */
  readonly podRefusal?: string
  readonly refusals: ReadonlyMap<NodeInfo, Refusal>
  /** Names of the filters that refused. */
  readonly refusedBy: ReadonlySet<string>
}

export type Placement =
  /** `looked`: at how many nodes, feasible or not. */
  { readonly node: NodeInfo; readonly looked: number } | { readonly diagnosis: Diagnosis }

export interface PlaceOptions {
  /** Where to begin among the nodes, so that not the same few are looked at each time. */
  readonly startAt?: number
  /** Enough feasible nodes to choose from. */
  readonly enough?: number
  /** Pods that were promised room on a node by preemption. */
  readonly promisedTo?: (node: NodeInfo) => readonly PodInfo[]
}

/** The filters' checks for one pod, in order. @throws {PodRefused} */
export function prepareChecks(
  pod: PodInfo,
  cluster: ClusterView,
  from: readonly Filter[] = filters,
): NodeCheck {
  const checks = from.flatMap((filter) => filter.prepare(pod, cluster) ?? [])
  return (node) => {
    for (const check of checks) {
      const refusal = check(node)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
}

/** Chooses a node for a pod, or says why there is none. Reads only. */
export function placePod(pod: PodInfo, cluster: ClusterView, options: PlaceOptions = {}): Placement {
  const { nodes } = cluster
  const refusals = new Map<NodeInfo, Refusal>()
  let check: NodeCheck
  try {
    check = prepareChecks(pod, cluster)
  } catch (error) {
    if (!(error instanceof PodRefused)) throw error
    const refusedBy = new Set([error.filter])
    return { diagnosis: { nodeCount: nodes.length, podRefusal: error.message, refusals, refusedBy } }
  }
  const feasible: NodeInfo[] = []
  const enough = options.enough ?? nodes.length
  const startAt = options.startAt ?? 0
  for (let i = 0; i < nodes.length && feasible.length < enough; i += 1) {
    const node = nodes[(startAt + i) % nodes.length]
    if (node === undefined) continue
    const refusal = check(node) ?? checkWithPromised(pod, node, check, options)
    if (refusal === undefined) feasible.push(node)
    else refusals.set(node, refusal)
  }
  const node = bestNode(pod, feasible, cluster, scores)
  if (node !== undefined) return { node, looked: feasible.length + refusals.size }
  const refusedBy = new Set([...refusals.values()].map((refusal) => refusal.filter))
  return { diagnosis: { nodeCount: nodes.length, refusals, refusedBy } }
}

/** Of the pods that a node has been promised to, those that come before this one. */
export function promisedBefore(
  pod: PodInfo,
  node: NodeInfo,
  promised: readonly PodInfo[],
): readonly PodInfo[] {
  return promised.filter(
    (other) => other.uid !== pod.uid && other.priority >= pod.priority && !node.pods.has(other.uid),
  )
}

/** Room that preemption made for pods of at least this one's priority is not this one's to take. */
function checkWithPromised(
  pod: PodInfo,
  node: NodeInfo,
  check: NodeCheck,
  options: PlaceOptions,
): Refusal | undefined {
  const before = promisedBefore(pod, node, options.promisedTo?.(node) ?? [])
  if (before.length === 0) return undefined
  const later = node.copy()
  for (const other of before) later.add(other)
  return check(later)
}
