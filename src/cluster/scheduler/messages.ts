import type { Refusal } from './filter.ts'
import type { Diagnosis } from './place.ts'

/** What the scheduler's plug-in for resource claims always adds; the embedded cluster has none of these claims. */
const claimsPart = 'no new claims to deallocate'

/** The text of `FailedScheduling` and of the `PodScheduled` condition, word for word as Kubernetes 1.36 writes it. */
export function failureMessage(diagnosis: Diagnosis, preemption: string): string {
  if (diagnosis.nodeCount === 0) return 'no nodes available to schedule pods'
  const start = `0/${diagnosis.nodeCount} nodes are available`
  const why =
    diagnosis.podRefusal === undefined ? histogram(diagnosis.refusals.values()) : diagnosis.podRefusal
  const after = preemption === '' ? '' : ` ${claimsPart}, preemption: ${preemption}`
  return `${start}${why === '' ? '' : `: ${why}.`}${after}`
}

/** What became of the attempt to preempt: counted over all nodes, those where it was not tried included. */
export function preemptionMessage(nodeCount: number, tried: Iterable<readonly string[]>): string {
  const counts = new Map<string, number>()
  let triedCount = 0
  for (const reasons of tried) {
    triedCount += 1
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  if (nodeCount > triedCount) {
    const reason = 'Preemption is not helpful for scheduling'
    counts.set(reason, (counts.get(reason) ?? 0) + nodeCount - triedCount)
  }
  const why = sorted(counts)
  return `0/${nodeCount} nodes are available${why === '' ? '' : `: ${why}.`}`
}

function histogram(refusals: Iterable<Refusal>): string {
  const counts = new Map<string, number>()
  for (const { reasons } of refusals) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  return sorted(counts)
}

function sorted(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ')
}
