import type { Persisted, Pod } from '../../../../kube/index.ts'
import type { Clock } from '../../clock.ts'

/** What is said of a pod that was active for longer than it may be. */
export const deadlineVerdict = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
}

/** Tells when a pod has been active for as long as it may be; the time may be given, or made shorter, while it runs. */
export class PodDeadline {
  readonly #startedAt: Date
  readonly #clock: Clock
  readonly #onReached: () => void
  #seconds: number | undefined
  #cancel = (): void => undefined

  constructor(options: { startedAt: Date; clock: Clock; onReached: () => void }) {
    this.#startedAt = options.startedAt
    this.#clock = options.clock
    this.#onReached = options.onReached
  }

  /** Goes by what the pod says now. */
  follow(pod: Persisted<Pod>): void {
    const seconds = pod.spec?.activeDeadlineSeconds
    if (seconds === this.#seconds) return
    this.cancel()
    this.#seconds = seconds
    if (seconds === undefined) return
    const at = this.#startedAt.getTime() + seconds * 1000
    this.#cancel = this.#clock.schedule(Math.max(0, at - this.#clock.now()), this.#onReached)
  }

  cancel(): void {
    this.#cancel()
  }
}
