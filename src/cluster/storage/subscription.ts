import { type Change, HistoryGone } from './store.ts'

/** Watchers of the same changes share them, so this is held about once, however many lag. */
const maxWaitingBytes = 32 * 1024 * 1024

/** One watcher of a prefix: takes changes as they are published, gives them out in batches. */
export class Subscription<V> {
  readonly #prefix: string
  readonly #limit: number
  readonly #onEnd: () => void
  #waiting: Change<V>[]
  #waitingBytes = 0
  #wake: (() => void) | undefined
  #ended = false
  #lost: HistoryGone | undefined
  #seen: number

  constructor(prefix: string, after: number, backlog: Change<V>[], limit: number, onEnd: () => void) {
    this.#prefix = prefix
    this.#waiting = backlog
    this.#limit = limit
    this.#onEnd = onEnd
    this.#seen = after
  }

  push(changes: readonly Change<V>[]): void {
    if (this.#ended || this.#lost) return
    for (const change of changes)
      if (change.revision > this.#seen && change.key.startsWith(this.#prefix)) {
        this.#waiting.push(change)
        this.#waitingBytes += (change.current ?? change.previous)?.json.length ?? 0
      }
    if (this.#waiting.length === 0) return
    if (this.#waiting.length > this.#limit || this.#waitingBytes > maxWaitingBytes) {
      // A reader that does not keep up must not hold memory: it starts again with a list.
      this.#lost = new HistoryGone(this.#seen, this.#waiting.at(-1)?.revision ?? this.#seen)
      this.#waiting = []
    }
    this.#wake?.()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd()
    this.#wake?.()
  }

  /** Ends with the signal, even when nobody has begun to read. */
  batches(signal: AbortSignal): AsyncGenerator<readonly Change<V>[]> {
    const stop = (): void => this.end()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) this.end()
    return this.#read(signal, stop)
  }

  async *#read(signal: AbortSignal, stop: () => void): AsyncGenerator<readonly Change<V>[]> {
    try {
      for (;;) {
        if (this.#lost) throw this.#lost
        if (this.#waiting.length > 0 && !signal.aborted) {
          const batch = this.#waiting
          this.#waiting = []
          this.#waitingBytes = 0
          this.#seen = batch.at(-1)?.revision ?? this.#seen
          yield batch
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    } finally {
      signal.removeEventListener('abort', stop)
      this.end()
    }
  }
}
