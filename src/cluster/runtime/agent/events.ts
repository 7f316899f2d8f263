import { randomBytes } from 'node:crypto'
import {
  type CoreEvent,
  isStatus,
  type KubeClient,
  kinds,
  type ObjectReference,
  type Persisted,
  type Pod,
} from '../../../kube/index.ts'
import type { Clock } from '../clock.ts'
import { Gate } from './gate.ts'

export interface PodHappening {
  readonly pod: Persisted<Pod>
  /** As in `spec.containers{main}`. */
  readonly fieldPath?: string
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

interface Remembered {
  readonly namespace: string
  readonly name: string
  count: number
}

const rememberedLimit = 2000
const waitingLimit = 1000

/** Writes the events of this agent's pods: best effort, repetitions counted on the event that is there. */
export class PodEvents {
  readonly #client: KubeClient
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #onError: (error: unknown) => void
  readonly #known = new Map<string, Remembered>()
  readonly #gate = new Gate(2)
  #waiting = 0

  constructor(options: {
    client: KubeClient
    clock: Clock
    signal: AbortSignal
    onError: (error: unknown) => void
  }) {
    this.#client = options.client
    this.#clock = options.clock
    this.#signal = options.signal
    this.#onError = options.onError
  }

  record(happening: PodHappening): void {
    // Nothing depends on an event; a flood of them must not hold memory.
    if (this.#signal.aborted || this.#waiting >= waitingLimit) return
    this.#waiting += 1
    void this.#gate
      .pass(async () => this.#write(happening))
      .catch((error: unknown) => {
        const isExpected = isStatus(error, 'NotFound') || isStatus(error, 'Forbidden')
        if (!this.#signal.aborted && !isExpected) this.#onError(error)
      })
      .finally(() => {
        this.#waiting -= 1
      })
  }

  async #write({ pod, fieldPath, type, reason, message }: PodHappening): Promise<void> {
    const key = JSON.stringify([pod.metadata.uid, fieldPath, reason, message])
    const time = `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`
    const before = this.#known.get(key)
    if (before !== undefined) {
      before.count += 1
      const patch = { count: before.count, lastTimestamp: time }
      await this.#client.patch(kinds.events, before, { type: 'merge', patch }, { signal: this.#signal })
      return
    }
    const namespace = pod.metadata.namespace ?? 'default'
    const name = `${pod.metadata.name}.${randomBytes(8).toString('hex')}`
    const about: ObjectReference = {
      kind: 'Pod',
      namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
      apiVersion: 'v1',
      resourceVersion: pod.metadata.resourceVersion,
      ...(fieldPath !== undefined && { fieldPath }),
    }
    const event = {
      metadata: { name, namespace },
      involvedObject: about,
      type,
      reason,
      message,
      source: { component: 'kubelet', host: pod.spec?.nodeName ?? '' },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      reportingComponent: 'kubelet',
      reportingInstance: pod.spec?.nodeName ?? '',
    } as CoreEvent
    await this.#client.create(kinds.events, event, { namespace, signal: this.#signal })
    if (this.#known.size >= rememberedLimit) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.set(key, { namespace, name, count: 1 })
  }
}
