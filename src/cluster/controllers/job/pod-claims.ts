import {
  type Job,
  keyOf,
  kinds,
  labelSelectorOf,
  matchesLabels,
  parseKey,
  type Persisted,
  type Pod,
  type SharedInformer,
} from '../../../kube/index.ts'
import { type ControllerContext, unlessGone } from '../controller.ts'
import { type JobPod, isTracked, trackingFinalizer } from './job-pod.ts'

/**
 * Which pods are whose: those of each job, and those that nobody has, which a job whose selector fits may take. A pod that
 * no longer fits is let go.
 */
export class PodClaims {
  readonly #context: ControllerContext
  readonly #jobs: SharedInformer<Job>
  readonly #byJob = new Map<string, Map<string, JobPod>>()
  readonly #free = new Map<string, Map<string, JobPod>>()

  constructor(context: ControllerContext, jobs: SharedInformer<Job>) {
    this.#context = context
    this.#jobs = jobs
  }

  of(jobUid: string): Iterable<JobPod> {
    return this.#byJob.get(jobUid)?.values() ?? []
  }

  /** The watch shows a pod. Returns the jobs that may want it, should nobody have it. */
  observed(pod: JobPod): Persisted<Job>[] {
    const owner = ownerOf(pod)
    const { namespace = '', uid } = pod.metadata
    if (owner !== undefined) {
      put(this.#byJob, owner.uid, pod)
      take(this.#free, namespace, uid)
      return []
    }
    if (hasController(pod)) {
      take(this.#free, namespace, uid)
      return []
    }
    put(this.#free, namespace, pod)
    const wanting: Persisted<Job>[] = []
    for (const job of this.#jobs.inNamespace(namespace)) {
      take(this.#byJob, job.metadata.uid, uid)
      if (mayTake(job, pod)) wanting.push(job)
    }
    return wanting
  }

  gone(pod: JobPod): void {
    const owner = ownerOf(pod)
    if (owner !== undefined) take(this.#byJob, owner.uid, pod.metadata.uid)
    take(this.#free, pod.metadata.namespace ?? '', pod.metadata.uid)
  }

  /** Brings the job's pods in line with its selector. */
  async settle(job: Persisted<Job>): Promise<void> {
    const { uid, namespace = '', deletionTimestamp } = job.metadata
    if (deletionTimestamp !== undefined) return
    for (const pod of this.of(uid)) if (!fits(job, pod)) await this.#release(pod, uid)
    const free = [...(this.#free.get(namespace)?.values() ?? [])].filter((pod) => mayTake(job, pod))
    if (free.length === 0) return
    const { client, signal } = this.#context
    // The cache may lag behind a deletion that orphaned these very pods.
    const fresh = await unlessGone(client.get(kinds.jobs, parseKey(keyOf(job)), { signal }))
    if (fresh?.metadata.uid !== uid || fresh.metadata.deletionTimestamp !== undefined) return
    for (const pod of free) {
      const adopted = await this.#patch(pod, {
        ownerReferences: [referenceOf(job)],
        ...(!isTracked(pod) && { finalizers: [trackingFinalizer] }),
      })
      if (adopted === undefined) take(this.#free, namespace, pod.metadata.uid)
      else this.observed(adopted)
    }
  }

  async #release(pod: JobPod, jobUid: string): Promise<void> {
    await this.#patch(pod, {
      ownerReferences: [{ $patch: 'delete', uid: jobUid }],
      ...(isTracked(pod) && { '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] }),
    })
    take(this.#byJob, jobUid, pod.metadata.uid)
  }

  #patch(pod: JobPod, metadata: object): Promise<JobPod | undefined> {
    const { client, signal } = this.#context
    const at = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name }
    const patch = { metadata: { uid: pod.metadata.uid, ...metadata } }
    return unlessGone(client.patch(kinds.pods, at, { type: 'strategic', patch }, { signal }))
  }
}

/** The job whose pod it is. */
export function ownerOf(pod: Persisted<Pod>): { uid: string; name: string } | undefined {
  const owner = (pod.metadata.ownerReferences ?? []).find(({ controller }) => controller)
  return owner?.kind === 'Job' && owner.apiVersion.startsWith('batch/') ? owner : undefined
}

/** How a job's pods name it as the one that made them. */
export function referenceOf({ metadata: { name, uid } }: Persisted<Job>) {
  return { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true }
}

function hasController(pod: JobPod): boolean {
  return (pod.metadata.ownerReferences ?? []).some(({ controller }) => controller)
}

function mayTake(job: Persisted<Job>, pod: JobPod): boolean {
  return (
    job.metadata.deletionTimestamp === undefined &&
    pod.metadata.deletionTimestamp === undefined &&
    fits(job, pod)
  )
}

function fits({ spec }: Persisted<Job>, pod: JobPod): boolean {
  const selector = spec?.selector ? labelSelectorOf(spec.selector) : []
  return selector.length > 0 && matchesLabels(selector, pod.metadata.labels)
}

type PodsByKey = Map<string, Map<string, JobPod>>

function put(pods: PodsByKey, key: string, pod: JobPod): void {
  const some = pods.get(key) ?? new Map<string, JobPod>()
  pods.set(key, some.set(pod.metadata.uid, pod))
}

function take(pods: PodsByKey, key: string, uid: string): void {
  const some = pods.get(key)
  if (some?.delete(uid) && some.size === 0) pods.delete(key)
}
