import type { Assessment } from './assess.ts'
import { newCondition, withCondition } from './conditions.ts'
import { type IndexSet, formatIndexes, hasIndex, withIndexes } from './index-set.ts'
import {
  type JobCondition,
  type JobPod,
  type JobSpec,
  type JobStatus,
  indexOf,
  isFailed,
  isIndexed,
  isTracked,
} from './job-pod.ts'
import { matchFailure } from './policies.ts'

/** The job's status keeps at most that many uids of pods on their way to being counted. */
const mostUncounted = 500

export interface Tally {
  /** The status to be written before any finalizer is taken away, so that no pod is forgotten or counted twice. */
  readonly status: JobStatus
  /** Pods whose finalizer may go once that is written. */
  readonly release: readonly JobPod[]
  /** The condition with which the job ends when all are counted. */
  readonly end: JobCondition | undefined
  /** There are more pods than could be counted in one go. */
  readonly isPartial: boolean
}

/** Counts pods that have ended and decides which may go. */
export function tally(options: {
  readonly spec: JobSpec
  readonly status: JobStatus
  readonly pods: readonly JobPod[]
  readonly assessment: Assessment
  readonly end: JobCondition | undefined
  readonly isDeleting: boolean
  readonly time: string
}): Tally {
  const { spec, pods, assessment, end, isDeleting, time } = options
  const tracked = new Set(pods.filter(isTracked).map((pod) => pod.metadata.uid))
  let status = withoutReleased(options.status, tracked)
  const succeeded = [...(status.uncountedTerminatedPods?.succeeded ?? [])]
  const failed = [...(status.uncountedTerminatedPods?.failed ?? [])]
  const newIndexes: number[] = []
  const release: JobPod[] = []
  let isPartial = false
  for (const pod of pods) {
    if (!isTracked(pod) || !mayGo(pod)) continue
    if (newIndexes.length + succeeded.length + failed.length >= mostUncounted) {
      isPartial = true
      break
    }
    release.push(pod)
    count(pod)
  }

  function mayGo(pod: JobPod): boolean {
    if (isDeleting || end !== undefined || pod.status?.phase === 'Succeeded') return true
    if (!isFailed(pod, spec)) return false
    const index = indexOf(pod, spec)
    return index === undefined || assessment.heldBack.get(index)?.metadata.uid !== pod.metadata.uid
  }

  function count(pod: JobPod): void {
    const { uid } = pod.metadata
    const index = indexOf(pod, spec)
    if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
      if (!isIndexed(spec)) {
        if (!succeeded.includes(uid)) succeeded.push(uid)
      } else if (index !== undefined && !hasIndex(assessment.countedSucceeded, index)) {
        newIndexes.push(index)
      }
      return
    }
    // Whatever a failed job leaves running counts as failed.
    const isOver = end !== undefined && end.type !== 'SuccessCriteriaMet'
    if (!isFailed(pod, spec) && !isOver) return
    if (failed.includes(uid) || (isIndexed(spec) && index === undefined)) return
    if (matchFailure(spec.podFailurePolicy, pod).counts) failed.push(uid)
  }

  if (isIndexed(spec)) status = withIndexCounts(status, assessment, newIndexes)
  const interim = end?.type === 'FailureTarget' || end?.type === 'SuccessCriteriaMet' ? end : undefined
  const conditions =
    interim === undefined ? status.conditions : withCondition(status.conditions ?? [], interim)
  status = {
    ...status,
    ...(conditions && { conditions }),
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 && { succeeded }),
      ...(failed.length > 0 && { failed }),
    },
  }
  return { status, release, end: lastCondition(end, time), isPartial }
}

function lastCondition(end: JobCondition | undefined, time: string): JobCondition | undefined {
  if (end === undefined) return undefined
  const type = end.type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed'
  return newCondition(type, end.reason ?? '', end.message ?? '', time)
}

function withIndexCounts(status: JobStatus, assessment: Assessment, added: readonly number[]): JobStatus {
  const completed: IndexSet = withIndexes(assessment.countedSucceeded, added)
  const { completedIndexes: _old, ...rest } = status
  const text = formatIndexes(completed)
  const succeeded = completed.reduce((total, { first, last }) => total + last - first + 1, 0)
  return {
    ...rest,
    ...(text !== '' && { completedIndexes: text }),
    succeeded,
    ...(assessment.failedIndexes !== undefined && { failedIndexes: formatIndexes(assessment.failedIndexes) }),
  }
}

/** Pods whose finalizer is gone are counted for good. `tracked`: uids of pods that still have it. */
export function withoutReleased(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const leftSucceeded = succeeded.filter((uid) => tracked.has(uid))
  const leftFailed = failed.filter((uid) => tracked.has(uid))
  const newlySucceeded = succeeded.length - leftSucceeded.length
  const newlyFailed = failed.length - leftFailed.length
  return {
    ...status,
    ...(newlySucceeded > 0 && { succeeded: (status.succeeded ?? 0) + newlySucceeded }),
    ...(newlyFailed > 0 && { failed: (status.failed ?? 0) + newlyFailed }),
    uncountedTerminatedPods: {
      ...(leftSucceeded.length > 0 && { succeeded: leftSucceeded }),
      ...(leftFailed.length > 0 && { failed: leftFailed }),
    },
  }
}
