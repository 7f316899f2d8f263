import type { Persisted, Pod } from '../../../kube/index.ts'
import { isReady } from '../job/job-pod.ts'

type ReplicaPod = Persisted<Pod>

const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * The pods that can best be missed: those on no node, not running, not ready, cheap to delete by their own word, with
 * many of their like on their node, ready for a short time, often restarted, young; in this order.
 */
export function mostDispensable(pods: readonly ReplicaPod[], count: number): ReplicaPod[] {
  const onNode = new Map<string, number>()
  for (const { spec } of pods) {
    const node = spec?.nodeName
    if (node) onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, onNode.get(pod.spec?.nodeName ?? '') ?? 0) }))
  return ranked
    .sort((a, b) => compare(a.rank, b.rank))
    .slice(0, count)
    .map(({ pod }) => pod)
}

function rankOf(pod: ReplicaPod, neighbours: number): number[] {
  const { metadata, spec, status } = pod
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const restarts = (status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)
  return [
    spec?.nodeName ? 1 : 0,
    status?.phase === 'Running' ? 2 : status?.phase === 'Pending' ? 0 : 1,
    isReady(pod) ? 1 : 0,
    costOf(pod),
    -neighbours,
    isReady(pod) && ready?.lastTransitionTime ? -Date.parse(ready.lastTransitionTime) : 0,
    -Math.max(0, ...restarts),
    -Date.parse(metadata.creationTimestamp),
  ]
}

/** What is no whole number of 32 bits, written plainly, counts as not said. */
function costOf({ metadata }: ReplicaPod): number {
  const text = metadata.annotations?.[costAnnotation] ?? ''
  if (!/^(0|-?[1-9]\d*)$/.test(text)) return 0
  const cost = Number(text)
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
