import {
  dottedName,
  isStatus,
  kinds,
  type Node,
  parseQuantity,
  type Persisted,
  type Pod,
  podRequests,
  portsCollide,
  portsOnHost,
  type Quantity,
  requiredNodes,
  safeSysctls,
  tolerates,
} from '../../../../kube/index.ts'
import type { AgentContext, NodeContext } from '../pod-context.ts'

/** Why a node does not take a pod. */
export interface Rejection {
  readonly reason: string
  readonly message: string
}

/**
 * Why a node does not take a pod that has come to it; undefined when it does. A pod that the scheduler placed was found
 * to fit; one that named its node itself may find it full, or may not be meant for it
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename).
 */
export async function rejectionOf(
  pod: Persisted<Pod>,
  context: AgentContext,
  { name, allocatable }: NodeContext,
): Promise<Rejection | undefined> {
  const { status } = pod
  // It has been taken before.
  if (status?.startTime !== undefined) return undefined
  const forbidden = sysctlFault(pod)
  if (forbidden !== undefined) return forbidden
  const isPlaced = status?.conditions?.some((one) => one.type === 'PodScheduled' && one.status === 'True')
  if (isPlaced === true) return undefined
  // Before anything is waited for: of two pods that come at once, the later one must find the earlier, not both each other.
  const others = [...context.othersOn(name, pod.metadata.uid)]
  const full = resourceFault(pod, others, allocatable)
  const taken = portFault(pod, others)
  if (full !== undefined) return full
  const node = await nodeOf(name, context)
  return affinityFault(pod, node) ?? taken ?? taintFault(pod, node)
}

function sysctlFault({ spec }: Persisted<Pod>): Rejection | undefined {
  const bad = spec?.securityContext?.sysctls?.find(
    ({ name }) => !Object.hasOwn(safeSysctls, dottedName(name)),
  )
  if (bad === undefined) return undefined
  return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${bad.name}" not allowlisted` }
}

function resourceFault(
  pod: Persisted<Pod>,
  others: readonly Persisted<Pod>[],
  allocatable: Readonly<Record<string, string>>,
): Rejection | undefined {
  const used = others.map((one) => podRequests(one))
  const asked: Record<string, Quantity> = { pods: parseQuantity('1'), ...podRequests(pod) }
  for (const [what, { nanos: requested }] of Object.entries(asked)) {
    const capacity = allocatable[what]
    // A node is not asked about devices that it does not know.
    if (requested === 0n || (capacity === undefined && what.includes('/'))) continue
    const room = parseQuantity(capacity ?? '0').nanos
    const taken =
      what === 'pods'
        ? BigInt(others.length) * requested
        : used.reduce((sum, one) => sum + (one[what]?.nanos ?? 0n), 0n)
    if (requested + taken <= room) continue
    const shown = (nanos: bigint): string => String(nanos / (what === 'cpu' ? 1_000_000n : 1_000_000_000n))
    return {
      reason: `OutOf${what}`,
      message: `Node didn't have enough resource: ${what}, requested: ${shown(requested)}, used: ${shown(taken)}, capacity: ${shown(room)}`,
    }
  }
  return undefined
}

function portFault({ spec }: Persisted<Pod>, others: readonly Persisted<Pod>[]): Rejection | undefined {
  const ports = spec === undefined ? [] : portsOnHost(spec)
  if (ports.length === 0) return undefined
  const held = others.flatMap((one) => (one.spec === undefined ? [] : portsOnHost(one.spec)))
  if (!held.some((one) => ports.some((port) => portsCollide(one, port)))) return undefined
  return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports")
}

function affinityFault({ spec }: Persisted<Pod>, node: Persisted<Node> | undefined): Rejection | undefined {
  if (spec === undefined || node === undefined) return undefined
  if (requiredNodes(spec)?.(node.metadata.labels ?? {}, node.metadata.name) !== false) return undefined
  return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
}

function taintFault({ spec }: Persisted<Pod>, node: Persisted<Node> | undefined): Rejection | undefined {
  const offending = node?.spec?.taints?.some(
    (taint) => taint.effect === 'NoExecute' && !tolerates(spec?.tolerations ?? [], taint),
  )
  if (offending !== true) return undefined
  return failed('TaintToleration', 'node(s) had untolerated taint(s)')
}

function failed(predicate: string, why: string): Rejection {
  return { reason: predicate, message: `Predicate ${predicate} failed: ${why}` }
}

async function nodeOf(name: string, { client, onError }: AgentContext): Promise<Persisted<Node> | undefined> {
  try {
    return await client.get(kinds.nodes, { name })
  } catch (error) {
    // A pod may be there before its node is registered. Not to know of labels and taints is no reason to turn it away.
    if (!isStatus(error, 'NotFound')) onError(error)
    return undefined
  }
}
