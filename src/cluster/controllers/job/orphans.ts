import { kinds, WorkQueue } from '../../../kube/index.ts'
import { type ControllerContext, reconcile, unlessGone } from '../controller.ts'
import { isFinished } from './conditions.ts'
import { type JobPod, isTracked } from './job-pod.ts'
import type { JobPods } from './job-pods.ts'
import { ownerOf } from './pod-claims.ts'

export interface OrphansOptions {
  readonly context: ControllerContext
  readonly pods: JobPods
  /** Called with the key of a job that is there after all. */
  readonly onOwned: (key: string) => void
}

/** Pods that are still held by a finalizer, while the job that would have counted them is gone or done. */
export class Orphans {
  readonly #options: OrphansOptions
  readonly #queue = new WorkQueue()
  readonly #pods = new Map<string, JobPod>()

  constructor(options: OrphansOptions) {
    this.#options = options
  }

  /** Works until the controller ends. */
  async run(): Promise<void> {
    await reconcile(this.#options.context, this.#queue, (uid) => this.#release(uid), 4)
  }

  /** Those of the pods that are held. */
  add(pods: Iterable<JobPod>): void {
    for (const pod of pods) {
      if (!isTracked(pod)) continue
      this.#pods.set(pod.metadata.uid, pod)
      this.#queue.add(pod.metadata.uid)
    }
  }

  gone(pod: JobPod): void {
    this.#pods.delete(pod.metadata.uid)
  }

  async #release(uid: string): Promise<undefined> {
    const pod = this.#pods.get(uid)
    if (pod === undefined) return
    const { context, pods, onOwned } = this.#options
    const owner = ownerOf(pod)
    if (owner !== undefined) {
      const at = { namespace: pod.metadata.namespace ?? '', name: owner.name }
      // The cache may lag behind a job that has just been made.
      const job = await unlessGone(context.client.get(kinds.jobs, at, { signal: context.signal }))
      if (job?.metadata.uid === owner.uid && !isFinished(job.status?.conditions)) {
        onOwned(`${at.namespace}/${at.name}`)
        return
      }
    }
    await pods.release(pod)
    this.#pods.delete(uid)
  }
}
