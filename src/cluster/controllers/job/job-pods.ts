import { isStatus, type Job, kinds, type Persisted, referenceTo, StatusError } from '../../../kube/index.ts'
import { type ControllerContext, unlessGone } from '../controller.ts'
import type { Assessment } from './assess.ts'
import { type JobPod, type JobSpec, isReady, isTracked, trackingFinalizer } from './job-pod.ts'
import type { OwnWrites } from './own-writes.ts'
import { podOf } from './pod-template.ts'

const jobKind = { kind: 'Job', apiVersion: 'batch/v1' }
/** Requests about the pods of one job at a time. */
const atATime = 16

export interface PodCounts {
  active: number
  ready: number
  terminating: number
}

/** Makes, deletes and lets go of pods, keeps count of them, and tells the job about it. */
export class JobPods {
  readonly #context: ControllerContext
  readonly #ownWrites: OwnWrites

  constructor(context: ControllerContext, ownWrites: OwnWrites) {
    this.#context = context
    this.#ownWrites = ownWrites
  }

  /** Returns the first failure, if there was one. */
  async create(
    job: Persisted<Job>,
    spec: JobSpec,
    indexes: readonly (number | undefined)[],
    { assessment, counts }: { readonly assessment: Assessment; readonly counts: PodCounts },
  ): Promise<unknown> {
    const { client, signal } = this.#context
    const namespace = job.metadata.namespace ?? ''
    const waiting = [...indexes]
    const failures: unknown[] = []
    // Starts slowly: where the first pod is refused, the other hundred would be too.
    for (let size = 1; waiting.length > 0 && failures.length === 0; size = Math.min(2 * size, atATime)) {
      const batch = waiting.splice(0, size)
      await Promise.all(
        batch.map(async (index) => {
          try {
            const replaced = index === undefined ? undefined : assessment.heldBack.get(index)
            const pod = await client.create(kinds.pods, podOf(job, spec, index, replaced), {
              namespace,
              signal,
            })
            this.#ownWrites.created(job.metadata.uid, pod)
            counts.active += 1
            this.tell(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
          } catch (error) {
            failures.push(error)
            if (signal.aborted || isNamespaceTerminating(error)) return
            this.tell(job, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
          }
        }),
      )
    }
    const [failure] = failures
    // What is refused by quota, policy or the end of the namespace is the job's business: the event says it all.
    return isNamespaceTerminating(failure) ? undefined : failure
  }

  /** Returns the first failure, if there was one. */
  async delete(
    job: Persisted<Job>,
    pods: readonly JobPod[],
    counts: PodCounts,
    options: { release?: boolean } = {},
  ): Promise<unknown> {
    const { client, signal } = this.#context
    let failure: unknown
    const waiting = [...pods]
    const work = async (): Promise<void> => {
      for (let pod = waiting.pop(); pod !== undefined; pod = waiting.pop()) {
        const at = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name }
        try {
          if (options.release) await this.release(pod)
          await unlessGone(
            client.delete(kinds.pods, at, { preconditions: { uid: pod.metadata.uid }, signal }),
          )
          this.#ownWrites.deleted(pod)
          counts.active -= 1
          counts.terminating += 1
          if (isReady(pod)) counts.ready -= 1
          this.tell(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
        } catch (error) {
          failure ??= error
          if (!signal.aborted)
            this.tell(job, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(atATime, waiting.length) }, work))
    return failure
  }

  /** Takes the finalizer off a pod that has been counted. */
  async release(pod: JobPod): Promise<void> {
    if (!isTracked(pod)) return
    const { client, signal } = this.#context
    await unlessGone(
      client.patch(
        kinds.pods,
        { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name },
        {
          type: 'strategic',
          patch: {
            metadata: { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] },
          },
        },
        { signal },
      ),
    )
    this.#ownWrites.released(pod)
  }

  /** Lets many go. Returns the uids of those that are, and the first failure. */
  async releaseAll(pods: readonly JobPod[]): Promise<{ released: ReadonlySet<string>; failure: unknown }> {
    const waiting = [...pods]
    const released = new Set<string>()
    let failure: unknown
    const work = async (): Promise<void> => {
      for (let pod = waiting.pop(); pod !== undefined; pod = waiting.pop()) {
        try {
          await this.release(pod)
          released.add(pod.metadata.uid)
        } catch (error) {
          failure ??= error
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(atATime, waiting.length) }, work))
    return { released, failure }
  }

  tell(job: Persisted<Job>, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(job, jobKind), type, reason, message })
  }
}

function isNamespaceTerminating(error: unknown): boolean {
  return (
    isStatus(error, 'Forbidden') &&
    (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
  )
}

function messageOf(error: unknown): string {
  if (error instanceof StatusError) return error.message
  return error instanceof Error ? error.message : String(error)
}
