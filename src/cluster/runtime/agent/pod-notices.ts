import type { Persisted, Pod } from '../../../kube/index.ts'
import type { Notice } from '../runtime.ts'
import type { PodEvents } from './events.ts'

/** What is told about one pod in its events. */
export class PodNotices {
  readonly #events: PodEvents
  readonly #pod: () => Persisted<Pod>
  readonly #isQuiet: boolean
  readonly #told = new Set<string>()

  /** @param options.isQuiet only warnings are told */
  constructor(options: { events: PodEvents; pod: () => Persisted<Pod>; isQuiet: boolean }) {
    this.#events = options.events
    this.#pod = options.pod
    this.#isQuiet = options.isQuiet
  }

  event(type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void {
    if (this.#isQuiet && type === 'Normal') return
    this.#events.record({
      pod: this.#pod(),
      type,
      reason,
      message,
      ...(fieldPath !== undefined && { fieldPath }),
    })
  }

  /** Something about this machine that the pod's owner should know, said once. */
  tell({ reason, message }: Notice): void {
    const key = `${reason} ${message}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    this.event('Normal', reason, message)
  }
}
