import type { Persisted, Pod } from '../../../kube/index.ts'
import { type JobPod, isTracked, trackingFinalizer } from './job-pod.ts'

/** The watch is never that late. */
const unseenLimitMs = 30_000

/**
 * What the controller itself has just done to pods and the watch has not shown yet. Without it a second look at a job
 * would make pods twice.
 */
export class OwnWrites {
  readonly #created = new Map<string, Map<string, { readonly pod: JobPod; readonly madeMs: number }>>()
  readonly #deleted = new Set<string>()
  readonly #released = new Set<string>()

  created(jobUid: string, pod: JobPod): void {
    const pods = this.#created.get(jobUid) ?? new Map<string, { pod: JobPod; madeMs: number }>()
    this.#created.set(jobUid, pods.set(pod.metadata.uid, { pod, madeMs: performance.now() }))
  }

  deleted(pod: JobPod): void {
    this.#deleted.add(pod.metadata.uid)
  }

  released(pod: JobPod): void {
    this.#released.add(pod.metadata.uid)
  }

  /** The watch shows a pod: what it shows need not be remembered. */
  observed(jobUid: string, pod: Persisted<Pod>): void {
    const { uid } = pod.metadata
    this.#forgetCreated(jobUid, uid)
    if (pod.metadata.deletionTimestamp !== undefined) this.#deleted.delete(uid)
    if (!isTracked(pod)) this.#released.delete(uid)
  }

  gone(jobUid: string, uid: string): void {
    this.#forgetCreated(jobUid, uid)
    this.#deleted.delete(uid)
    this.#released.delete(uid)
  }

  forgetJob(jobUid: string): void {
    this.#created.delete(jobUid)
  }

  /** The pods as they are now, given those that the watch has shown. */
  applied(jobUid: string, pods: Iterable<JobPod>, now: string): JobPod[] {
    const all = [...pods]
    const known = new Set(all.map((pod) => pod.metadata.uid))
    for (const { pod, madeMs } of this.#created.get(jobUid)?.values() ?? []) {
      // Made and gone again before the watch could show it: it will never be heard of.
      if (performance.now() - madeMs > unseenLimitMs) this.#forgetCreated(jobUid, pod.metadata.uid)
      else if (!known.has(pod.metadata.uid)) all.push(pod)
    }
    return all.map((pod) => this.#withWrites(pod, now))
  }

  #withWrites(pod: JobPod, now: string): JobPod {
    const { uid } = pod.metadata
    const isDeleted = this.#deleted.has(uid) && pod.metadata.deletionTimestamp === undefined
    const isReleased = this.#released.has(uid)
    if (!isDeleted && !isReleased) return pod
    const finalizers = (pod.metadata.finalizers ?? []).filter(
      (name) => !isReleased || name !== trackingFinalizer,
    )
    return { ...pod, metadata: { ...pod.metadata, finalizers, ...(isDeleted && { deletionTimestamp: now }) } }
  }

  #forgetCreated(jobUid: string, uid: string): void {
    const pods = this.#created.get(jobUid)
    if (pods === undefined) return
    pods.delete(uid)
    if (pods.size === 0) this.#created.delete(jobUid)
  }
}
