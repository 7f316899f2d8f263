import {
  isStatus,
  kinds,
  type KubeObject,
  type Persisted,
  type Pod,
  referenceTo,
} from '../../../kube/index.ts'
import { type ControllerContext, unlessGone } from '../controller.ts'
import type { OwnWrites } from '../job/own-writes.ts'

const atATime = 16

interface Owner {
  readonly metadata: Persisted<KubeObject>['metadata']
}

/** Makes and deletes pods of one kind of owner, many at once, telling of each in an event. */
export class PodBatches {
  readonly #context: ControllerContext
  readonly #ownKind: { readonly apiVersion: string; readonly kind: string }
  readonly #ownWrites: OwnWrites

  constructor(
    context: ControllerContext,
    ownKind: { apiVersion: string; kind: string },
    ownWrites: OwnWrites,
  ) {
    this.#context = context
    this.#ownKind = ownKind
    this.#ownWrites = ownWrites
  }

  /** Returns the first failure, if there was one. */
  async create(owner: Owner, pods: readonly Pod[]): Promise<unknown> {
    const { client, signal } = this.#context
    const { namespace = '', uid } = owner.metadata
    const failures: unknown[] = []
    const one = async (pod: Pod): Promise<void> => {
      try {
        const made = await client.create(kinds.pods, pod, { namespace, signal })
        this.#ownWrites.created(uid, made)
        this.#tell(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`)
      } catch (error) {
        if (isNamespaceTerminating(error)) left = []
        else {
          failures.push(error)
          if (!signal.aborted) {
            this.#tell(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
          }
        }
      }
    }
    let left = pods
    // Starts slowly: where the first pod is refused, the other hundred would be too.
    for (let size = 1; left.length > 0 && failures.length === 0; size = Math.min(2 * size, atATime)) {
      const batch = left.slice(0, size)
      left = left.slice(size)
      await Promise.all(batch.map(one))
    }
    return failures[0]
  }

  /** Returns the first failure, if there was one. */
  async delete(owner: Owner, pods: readonly Persisted<Pod>[]): Promise<unknown> {
    const { client, signal } = this.#context
    const waiting = [...pods]
    let failure: unknown
    const work = async (): Promise<void> => {
      for (let pod = waiting.pop(); pod !== undefined; pod = waiting.pop()) {
        const { uid, name, namespace = '' } = pod.metadata
        try {
          await unlessGone(client.delete(kinds.pods, { namespace, name }, { preconditions: { uid }, signal }))
          this.#ownWrites.deleted(pod)
          this.#tell(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
        } catch (error) {
          failure ??= error
          if (!signal.aborted) {
            this.#tell(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
          }
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(atATime, waiting.length) }, work))
    return failure
  }

  #tell(owner: Owner, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(owner, this.#ownKind), type, reason, message })
  }
}

function isNamespaceTerminating(error: unknown): boolean {
  return (
    isStatus(error, 'Forbidden') &&
    (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
