import {
  type CoreEvent,
  type JobStatus,
  type Node,
  type Persisted,
  type Pod,
  type PodsWanted,
  type ResourceQuota,
} from '../../kube/index.ts'
import type { JobObject, JobState, RolePlan } from '../kinds/kind.ts'
import type { AnyJobKind } from '../kinds/table.ts'
import { jobLabels } from '../labels.ts'

/** A job of the cluster with the pods that it has. */
export interface ObservedJob {
  readonly kind: AnyJobKind
  readonly object: Persisted<JobObject>
  readonly name: string
  readonly namespace: string
  readonly state: JobState
  /** Short name of the person whose job it is, where that is written down. */
  readonly owner: string | undefined
  readonly pods: readonly Persisted<Pod>[]
  /** What the job is made of. */
  readonly roles: readonly RolePlan[]
  /** The pods that it still wants and does not have; none when it has ended. */
  readonly missing: readonly PodsWanted[]
  /** The pod that speaks for the job. */
  readonly chief: Persisted<Pod> | undefined
}

/** What is known of a namespace beside one job. Absent parts could not be read. */
export interface Surroundings {
  /** Every job of the namespace that may be seen. */
  readonly jobs: readonly ObservedJob[]
  readonly quotas?: readonly Persisted<ResourceQuota>[]
  readonly nodes?: readonly Persisted<Node>[]
  readonly events?: readonly Persisted<CoreEvent>[]
  readonly now: number
}

/** Joins jobs with their pods. */
export function observeJobs(
  kind: AnyJobKind,
  objects: readonly Persisted<JobObject>[],
  pods: readonly Persisted<Pod>[],
): ObservedJob[] {
  const podsByOwner = new Map<string, Persisted<Pod>[]>()
  for (const pod of pods) {
    for (const { uid } of pod.metadata.ownerReferences ?? []) {
      const owned = podsByOwner.get(uid)
      if (owned === undefined) podsByOwner.set(uid, [pod])
      else owned.push(pod)
    }
  }
  return objects.map((object) => observeJob(kind, object, podsByOwner.get(object.metadata.uid) ?? []))
}

function observeJob(
  kind: AnyJobKind,
  object: Persisted<JobObject>,
  pods: readonly Persisted<Pod>[],
): ObservedJob {
  const sorted = [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const { labels = {} } = object.metadata
  const roles = kind.roles(object)
  const state = kind.stateOf(object)
  return {
    kind,
    object,
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
    state,
    owner: labels[jobLabels.owner],
    pods: sorted,
    roles,
    missing: isFinished({ state }) ? [] : missingPods(roles, sorted),
    chief: chiefOf(kind, object, sorted),
  }
}

/** Of the pods in the chief's place the newest that is past waiting, else the newest. */
export function chiefOf(
  kind: AnyJobKind,
  object: JobObject,
  pods: readonly Persisted<Pod>[],
): Persisted<Pod> | undefined {
  const { role, index } = kind.chiefRole(object)
  const newestFirst = pods
    .filter((pod) => roleOf(pod) === role && (role === 'chief' || indexOf(pod) === index))
    .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))
  return newestFirst.find((pod) => pod.status?.phase !== 'Pending') ?? newestFirst[0]
}

/** The role of a pod in its job, in lower case. */
function roleOf(pod: Pod): string {
  const labels = pod.metadata?.labels ?? {}
  return (labels[jobLabels.replicaType] ?? labels['tf-replica-type'] ?? '').toLowerCase()
}

function indexOf(pod: Pod): number {
  const labels = pod.metadata?.labels ?? {}
  return Number(labels[jobLabels.replicaIndex] ?? labels['tf-replica-index'] ?? 0)
}

export function isFinished(job: Pick<ObservedJob, 'state'>): boolean {
  return job.state === 'SUCCEEDED' || job.state === 'FAILED'
}

/** Has the pod ended, well or not? */
export function hasEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

export function statusOf(job: Pick<ObservedJob, 'object'>): JobStatus {
  return job.object.status ?? {}
}

function missingPods(roles: readonly RolePlan[], pods: readonly Pod[]): PodsWanted[] {
  return roles
    .map(({ role, replicas, pod }) => ({
      pod,
      count: replicas - pods.filter((existing) => roleOf(existing) === role).length,
    }))
    .filter(({ count }) => count > 0)
}
