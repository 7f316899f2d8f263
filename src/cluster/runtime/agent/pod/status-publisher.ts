import { isDeepStrictEqual } from 'node:util'
import {
  type JsonObject,
  type KubeClient,
  isStatus,
  kinds,
  type Persisted,
  type Pod,
  type PodCondition,
  type PodStatus,
} from '../../../../kube/index.ts'
import { type Clock, pause } from '../../clock.ts'
import type { Gate } from '../gate.ts'

export interface StatusPublisherOptions {
  readonly client: KubeClient
  readonly clock: Clock
  /** Shared by all pods of the agent: how many status writes are on their way at a time. */
  readonly gate: Gate
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  /** The status as it should be now. */
  readonly compute: () => PodStatus
}

const firstRetryMs = 200
const longestRetryMs = 10_000

/** Keeps the status of one pod in the API as it is here, with as few writes as that takes. */
export class StatusPublisher {
  readonly #options: StatusPublisherOptions
  #pod: Persisted<Pod>
  #published: PodStatus | undefined
  #work: Promise<void> | undefined
  #isDirty = false
  #isGone = false

  constructor(pod: Persisted<Pod>, options: StatusPublisherOptions) {
    this.#pod = pod
    this.#options = options
  }

  /** The pod as the API has it. */
  update(pod: Persisted<Pod>): void {
    this.#pod = pod
  }

  /** The pod is no longer in the API: nothing more to write. */
  end(): void {
    this.#isGone = true
  }

  /** Something changed. Changes that come together are written together. */
  request(): void {
    this.#isDirty = true
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
    })
  }

  /** Settles when everything so far is written, or cannot be. */
  async flush(): Promise<void> {
    this.request()
    await this.#work
  }

  async #run(): Promise<void> {
    const { clock, gate, signal, onError } = this.#options
    let retryMs = firstRetryMs
    // Let the changes of this moment come together.
    await Promise.resolve()
    while (this.#isDirty && !this.#isGone && !signal.aborted) {
      this.#isDirty = false
      try {
        await gate.pass(async () => this.#write())
        retryMs = firstRetryMs
      } catch (error) {
        if (signal.aborted) return
        // The pod was removed, or replaced by one of the same name.
        if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict') || isStatus(error, 'Invalid')) {
          if (!isStatus(error, 'NotFound')) onError(error)
          return
        }
        onError(error)
        this.#isDirty = true
        await pause(clock, retryMs, signal)
        retryMs = Math.min(retryMs * 2, longestRetryMs)
      }
    }
  }

  async #write(): Promise<void> {
    const status = this.#options.compute()
    if (this.#isGone || isDeepStrictEqual(status, this.#published)) return
    const { namespace = '', name, uid } = this.#pod.metadata
    const before = this.#published ?? this.#pod.status
    const patch = { metadata: { uid }, status: withRemovals(status, before) as unknown as JsonObject }
    await this.#options.client.patch(
      kinds.pods,
      { namespace, name },
      { type: 'strategic', patch },
      { subresource: 'status', signal: this.#options.signal },
    )
    this.#published = status
  }
}

/** Conditions that are there for a while and then not at all. */
const passing = new Set(['PodResizePending', 'PodResizeInProgress'])

/** Conditions are merged field by field: what one had before and has no more is to be taken away by name. */
function withRemovals(status: PodStatus, before: PodStatus | undefined): PodStatus {
  const conditions = status.conditions?.map((condition) => {
    const old = before?.conditions?.find(({ type }) => type === condition.type)
    const gone = (['reason', 'message'] as const).filter(
      (field) => old?.[field] !== undefined && condition[field] === undefined,
    )
    return { ...condition, ...Object.fromEntries(gone.map((field) => [field, null])) }
  })
  const over = (before?.conditions ?? [])
    .filter(({ type }) => passing.has(type) && !conditions?.some((one) => one.type === type))
    .map(({ type }) => ({ $patch: 'delete', type }) as unknown as PodCondition)
  return { ...status, ...(conditions !== undefined && { conditions: [...conditions, ...over] }) }
}
