import { findCondition, newCondition } from './conditions.ts'
import { type FailureStreak, continued, indexWaitMs, waitMs } from './failure-backoff.ts'
import {
  type IndexSet,
  countIndexes,
  firstMissing,
  hasIndex,
  noIndexes,
  parseIndexes,
  union,
  withIndexes,
} from './index-set.ts'
import {
  type JobCondition,
  type JobPod,
  type JobSpec,
  type JobStatus,
  byDispensability,
  failuresBefore,
  finishedAt,
  ignoredFailuresBefore,
  indexOf,
  isActive,
  isFailed,
  isIndexed,
  isReady,
  isTerminating,
  isTracked,
  replacesOnlyFailed,
} from './job-pod.ts'
import { matchFailure, matchSuccess } from './policies.ts'

/** A job and its pods at one moment. */
export interface JobView {
  readonly spec: JobSpec
  readonly status: JobStatus
  readonly pods: readonly JobPod[]
  readonly streak: FailureStreak
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly isDeleting: boolean
}

export interface Assessment {
  readonly active: readonly JobPod[]
  readonly ready: number
  readonly terminating: number
  /** Pods that succeeded or failed since the job was first started, those not yet counted in its status included. */
  readonly succeeded: number
  readonly failed: number
  readonly countedSucceeded: IndexSet
  readonly succeededIndexes: IndexSet
  /** Only with `backoffLimitPerIndex`. */
  readonly failedIndexes: IndexSet | undefined
  /** Failed pods by index that stay until their replacement has taken over their count of failures. */
  readonly heldBack: ReadonlyMap<number, JobPod>
  /** How the job is to end, if it is. */
  readonly end: JobCondition | undefined
  readonly streak: FailureStreak
  /** When to look again although nothing happens. */
  readonly againAfterMs: number | undefined
}

/** Kubernetes creates and deletes at most that many pods of a job in one go. */
const largestStep = 500

export function assess(view: JobView, time: string): Assessment {
  const { spec, status, pods } = view
  const uncountedSucceeded = new Set(status.uncountedTerminatedPods?.succeeded)
  const uncountedFailed = new Set(status.uncountedTerminatedPods?.failed)
  const isValid = (pod: JobPod): boolean =>
    isTracked(pod) && (!isIndexed(spec) || indexOf(pod, spec) !== undefined)
  const newSucceeded = pods.filter(
    (pod) => isValid(pod) && !uncountedSucceeded.has(pod.metadata.uid) && pod.status?.phase === 'Succeeded',
  )
  const newFailed = pods.filter(
    (pod) => isValid(pod) && !uncountedFailed.has(pod.metadata.uid) && isFailed(pod, spec),
  )
  const countedFailures = newFailed.filter((pod) => matchFailure(spec.podFailurePolicy, pod).counts).length
  const active = pods.filter(isActive)
  const completions = spec.completions ?? 0
  const countedSucceeded = isIndexed(spec) ? parseIndexes(status.completedIndexes, completions) : noIndexes
  const succeededIndexes = isIndexed(spec)
    ? withIndexes(
        countedSucceeded,
        indexesOf(
          pods.filter((pod) => pod.status?.phase === 'Succeeded' && isTracked(pod)),
          spec,
        ),
      )
    : noIndexes
  const failedIndexes = failedIndexesOf(view)
  const draft = {
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    succeeded: isIndexed(spec)
      ? countIndexes(succeededIndexes)
      : (status.succeeded ?? 0) + newSucceeded.length + uncountedSucceeded.size,
    failed: (status.failed ?? 0) + countedFailures + uncountedFailed.size,
    countedSucceeded,
    succeededIndexes,
    failedIndexes,
    heldBack: heldBackPods(view, active, succeededIndexes, failedIndexes),
    streak: continued(view.streak, newSucceeded, newFailed),
  }
  const deadline = deadlineMs(view)
  return {
    ...draft,
    end: endOf(view, draft, time),
    againAfterMs: deadline === undefined || deadline <= 0 ? undefined : deadline,
  }
}

function indexesOf(pods: readonly JobPod[], spec: JobSpec): number[] {
  return pods.flatMap((pod) => indexOf(pod, spec) ?? [])
}

function failedIndexesOf({ spec, status, pods }: JobView): IndexSet | undefined {
  const limit = spec.backoffLimitPerIndex
  if (!isIndexed(spec) || limit === undefined) return undefined
  const failed = pods.filter((pod) => {
    if (!isTracked(pod) || !isFailed(pod, spec)) return false
    const match = matchFailure(spec.podFailurePolicy, pod)
    return match.action === 'FailIndex' || (match.counts && failuresBefore(pod) >= limit)
  })
  return withIndexes(parseIndexes(status.failedIndexes, spec.completions ?? 0), indexesOf(failed, spec))
}

function heldBackPods(
  { spec, pods }: JobView,
  active: readonly JobPod[],
  succeeded: IndexSet,
  failed: IndexSet | undefined,
): Map<number, JobPod> {
  const held = new Map<number, JobPod>()
  if (failed === undefined) return held
  const running = new Set(indexesOf(active, spec))
  const failures = (pod: JobPod): number => failuresBefore(pod) + ignoredFailuresBefore(pod)
  for (const pod of pods) {
    const index = indexOf(pod, spec)
    if (index === undefined || !isTracked(pod) || !isFailed(pod, spec)) continue
    if (hasIndex(succeeded, index) || hasIndex(failed, index) || running.has(index)) continue
    const other = held.get(index)
    const isLater =
      other === undefined || (failures(pod) >= failures(other) && finishedAt(pod) >= finishedAt(other))
    if (isLater) held.set(index, pod)
  }
  return held
}

function endOf(
  view: JobView,
  draft: Omit<Assessment, 'end' | 'againAfterMs'>,
  time: string,
): JobCondition | undefined {
  const { spec, status, pods } = view
  const met = findCondition(status.conditions, 'SuccessCriteriaMet')
  if (met?.status === 'True') return met
  const target = findCondition(status.conditions, 'FailureTarget')
  if (target?.status === 'True')
    return newCondition('Failed', target.reason ?? '', target.message ?? '', time)
  const fail = (reason: string, message: string): JobCondition =>
    newCondition('FailureTarget', reason, message, time)
  for (const pod of pods) {
    if (spec.podFailurePolicy === undefined || !isFailed(pod, spec)) continue
    const { jobFailure } = matchFailure(spec.podFailurePolicy, pod)
    if (jobFailure !== undefined) return fail('PodFailurePolicy', jobFailure)
  }
  if (draft.failed > (spec.backoffLimit ?? 6) || isPastRestartLimit(view)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  }
  const deadline = deadlineMs(view)
  if (deadline !== undefined && deadline <= 0) {
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  }
  if (draft.failedIndexes !== undefined) {
    const count = countIndexes(draft.failedIndexes)
    if (spec.maxFailedIndexes !== undefined && count > spec.maxFailedIndexes) {
      return fail(
        'MaxFailedIndexesExceeded',
        'Job has exceeded the specified maximal number of failed indexes',
      )
    }
    if (count > 0 && count + draft.succeeded >= (spec.completions ?? 0)) {
      return fail('FailedIndexes', 'Job has failed indexes')
    }
  }
  const success = isIndexed(spec) ? matchSuccess(spec, draft.succeededIndexes) : undefined
  return success === undefined
    ? undefined
    : newCondition('SuccessCriteriaMet', 'SuccessPolicy', success, time)
}

/** Containers that are restarted in place use up the back-off limit too. */
function isPastRestartLimit({ spec, pods }: JobView): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue
    for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      restarts += container.restartCount
    }
  }
  const limit = spec.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function deadlineMs({ spec, status, now }: JobView): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status.startTime === undefined || spec.suspend)
    return undefined
  return spec.activeDeadlineSeconds * 1000 - (now - Date.parse(status.startTime))
}

export type PodStep =
  | { readonly remove: readonly JobPod[] }
  /** Completion indexes of the pods to make; undefined for each pod of a job without indexes. */
  | { readonly create: readonly (number | undefined)[] }
  | { readonly waitMs: number }

/** How the number of running pods is to be brought to what the job wants. */
export function podStep(view: JobView, assessment: Assessment): PodStep | undefined {
  const { spec, pods, now } = view
  const { active } = assessment
  if (spec.suspend) return active.length === 0 ? undefined : { remove: active }
  const parallelism = spec.parallelism ?? 1
  const wanted =
    spec.completions === undefined
      ? assessment.succeeded > 0
        ? active.length
        : parallelism
      : Math.max(0, Math.min(parallelism, spec.completions - assessment.succeeded))
  const remove = podsToRemove(spec, active, Math.max(0, active.length - wanted)).slice(0, largestStep)
  if (remove.length > 0) return { remove }
  const stillEnding = replacesOnlyFailed(spec) ? assessment.terminating : 0
  const missing = Math.min(wanted - stillEnding - active.length, largestStep)
  if (missing <= 0) return undefined
  const perIndex = spec.backoffLimitPerIndex !== undefined
  const wait = perIndex ? 0 : waitMs(assessment.streak, now)
  if (wait > 0) return { waitMs: wait }
  if (!isIndexed(spec)) return { create: Array.from({ length: missing }, () => undefined) }
  let taken = withIndexes(assessment.succeededIndexes, indexesOf(active, spec))
  if (replacesOnlyFailed(spec)) taken = withIndexes(taken, indexesOf(pods.filter(isTerminating), spec))
  if (assessment.failedIndexes !== undefined) taken = union(taken, assessment.failedIndexes)
  const indexes = firstMissing(taken, missing, spec.completions ?? 0)
  if (!perIndex) return indexes.length === 0 ? undefined : { create: indexes }
  const waits = indexes.map((index) => ({ index, wait: indexWaitMs(assessment.heldBack.get(index), now) }))
  const create = waits.filter(({ wait: left }) => left === 0).map(({ index }) => index)
  if (create.length > 0) return { create }
  return waits.length === 0 ? undefined : { waitMs: Math.min(...waits.map(({ wait: left }) => left)) }
}

/** At least that many, and all pods that do not belong: without an index, or the second of one. */
function podsToRemove(spec: JobSpec, active: readonly JobPod[], atLeast: number): JobPod[] {
  const sorted = [...active].sort(byDispensability)
  if (!isIndexed(spec)) return sorted.slice(0, atLeast)
  const kept = new Map<number, JobPod>()
  const remove: JobPod[] = []
  for (const pod of sorted.reverse()) {
    const index = indexOf(pod, spec)
    if (index === undefined || kept.has(index)) remove.push(pod)
    else kept.set(index, pod)
  }
  const rest = [...kept.values()].sort(byDispensability)
  return remove.length < atLeast ? [...remove, ...rest.slice(0, atLeast - remove.length)] : remove
}

/** Is nothing left to be done for a job of this many successes? */
export function isComplete(spec: JobSpec, succeeded: number, activeCount: number): boolean {
  if (activeCount > 0) return false
  return spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions
}
