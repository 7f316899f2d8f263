import type { Job, Persisted, Pod } from '../../../kube/index.ts'

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'
export const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count'
export const ignoredFailureCountAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count'

export type JobPod = Persisted<Pod>

/** `spec` of a stored job: the server fills in what the user leaves out. */
export type JobSpec = NonNullable<Job['spec']>
export type JobStatus = NonNullable<Job['status']>
export type JobCondition = NonNullable<JobStatus['conditions']>[number]

export function isIndexed(spec: JobSpec): boolean {
  return spec.completionMode === 'Indexed'
}

/** The pod's completion index; undefined when it has none or one that the job does not use. */
export function indexOf(pod: JobPod, spec: JobSpec): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation]
  if (text === undefined || !/^\d+$/.test(text)) return undefined
  const index = Number(text)
  return index < (spec.completions ?? 0) ? index : undefined
}

export function isTracked(pod: JobPod): boolean {
  return (pod.metadata.finalizers ?? []).includes(trackingFinalizer)
}

export function hasEnded(pod: JobPod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

export function isActive(pod: JobPod): boolean {
  return !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined
}

export function isTerminating(pod: JobPod): boolean {
  return !hasEnded(pod) && pod.metadata.deletionTimestamp !== undefined
}

export function isReady(pod: JobPod): boolean {
  return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
}

/** Are pods replaced only once they have really ended, not already when they are being deleted? */
export function replacesOnlyFailed(spec: JobSpec): boolean {
  return spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined
}

/** Does the pod count as failed? One that is being deleted may never get the chance to say so itself. */
export function isFailed(pod: JobPod, spec: JobSpec): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (replacesOnlyFailed(spec)) return false
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded'
}

function annotatedCount(pod: JobPod, name: string): number {
  const text = pod.metadata.annotations?.[name]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
}

/** Failures of the pod's index before this pod, as far as they count. */
export function failuresBefore(pod: JobPod): number {
  return annotatedCount(pod, failureCountAnnotation)
}

export function ignoredFailuresBefore(pod: JobPod): number {
  return annotatedCount(pod, ignoredFailureCountAnnotation)
}

/** When the pod ended, in milliseconds, as exactly as it can be told. */
export function finishedAt(pod: JobPod): number {
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt)
  if (ends.length > 0 && ends.every((end) => end !== undefined)) {
    return Math.max(...ends.map((end) => Date.parse(end)))
  }
  const ready = (pod.status?.conditions ?? []).find(({ type }) => type === 'Ready')
  if (ready?.status === 'False' && ready.lastTransitionTime) return Date.parse(ready.lastTransitionTime)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata
  if (deletionTimestamp !== undefined)
    return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  return Date.parse(creationTimestamp)
}

/** Pods that can best be missed first: not on a node, not running, not ready, young. */
export function byDispensability(a: JobPod, b: JobPod): number {
  const rank = (pod: JobPod): number[] => [
    pod.spec?.nodeName ? 1 : 0,
    pod.status?.phase === 'Running' ? 2 : pod.status?.phase === 'Pending' ? 0 : 1,
    isReady(pod) ? 1 : 0,
    -Date.parse(pod.metadata.creationTimestamp),
  ]
  const [left, right] = [rank(a), rank(b)]
  for (let i = 0; i < left.length; i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
