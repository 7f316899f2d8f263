import { type Informer, keyOf, type Persisted, type Pod, type Service } from '../kube/index.ts'
import type { OwnedObjects } from './owned-objects.ts'
import type { StoredJob, TrainingJob, TrainingJobKind } from './training-job/kind.ts'
import { type Plan, planJob } from './training-job/plan.ts'

/** Pods that failed and were made anew; kept on the job, so that a new operator goes on counting. */
export const restartsAnnotation = 'arena.kubeflow.org/pod-restarts'

/** The jobs of one kind with their pods and services, as the watches tell. */
export interface JobState {
  readonly kind: TrainingJobKind
  readonly jobs: Informer<TrainingJob>
  /** Keys of the jobs of a namespace. */
  keysIn(namespace: string): Iterable<string>
  podsOf(job: StoredJob): Persisted<Pod>[]
  servicesOf(job: StoredJob): Persisted<Service>[]
  restartsOf(job: StoredJob): number
  plan(job: StoredJob): Plan
  /** The pod was told to go: the watch may show it alive for a moment longer. */
  noteDeleted(pod: Persisted<Pod>): void
  /** The watch has confirmed that the pod is gone. */
  forgetPod(uid: string): void
}

export function createJobState(options: {
  readonly kind: TrainingJobKind
  readonly jobs: Informer<TrainingJob>
  readonly pods: OwnedObjects<Pod>
  readonly services: OwnedObjects<Service>
  readonly now: () => number
}): JobState {
  const { kind, jobs, now } = options
  const byNamespace = new Map<string, Set<string>>()
  const deleted = new Set<string>()
  jobs.subscribe((change) => {
    if (change.type === 'SYNCED') return
    const namespace = change.object.metadata.namespace ?? ''
    const keys = byNamespace.get(namespace) ?? new Set()
    if (change.type === 'DELETED') keys.delete(keyOf(change.object))
    else keys.add(keyOf(change.object))
    if (keys.size === 0) byNamespace.delete(namespace)
    else byNamespace.set(namespace, keys)
  })

  function podsOf(job: StoredJob): Persisted<Pod>[] {
    return options.pods.of(job.metadata.uid).map((pod) => {
      if (!deleted.has(pod.metadata.uid) || pod.metadata.deletionTimestamp) return pod
      return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(now()).toISOString() } }
    })
  }

  const state: JobState = {
    kind,
    jobs,
    keysIn: (namespace) => byNamespace.get(namespace) ?? [],
    podsOf,
    servicesOf: (job) => options.services.of(job.metadata.uid),
    restartsOf: (job) => Number(job.metadata.annotations?.[restartsAnnotation] ?? 0) || 0,
    plan: (job) =>
      planJob(kind, {
        job,
        pods: podsOf(job),
        services: state.servicesOf(job),
        restarts: state.restartsOf(job),
        now: now(),
      }),
    noteDeleted: (pod) => deleted.add(pod.metadata.uid),
    forgetPod: (uid) => deleted.delete(uid),
  }
  return state
}
