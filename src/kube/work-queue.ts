import { Backoff } from './backoff.ts'

/**
 * A queue of keys for controllers: a key that waits is held once, a key in work that is added again comes back when
 * that work is done, failures come back after a growing delay.
 */
export class WorkQueue {
  readonly #waiting = new Set<string>()
  readonly #working = new Set<string>()
  readonly #again = new Set<string>()
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; dueAt: number }>()
  readonly #backoffs = new Map<string, Backoff>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  readonly #retry: { firstMs: number; largestMs: number; random?: () => number }
  #isClosed = false

  constructor(retry: { firstMs?: number; largestMs?: number; random?: () => number } = {}) {
    this.#retry = { firstMs: 50, largestMs: 60_000, ...retry }
  }

  /** Keys that wait to be taken. */
  get size(): number {
    return this.#waiting.size
  }

  add(key: string): void {
    if (this.#isClosed) return
    if (this.#working.has(key)) {
      this.#again.add(key)
      return
    }
    const taker = this.#waiting.has(key) ? undefined : this.#takers.shift()
    if (taker === undefined) {
      this.#waiting.add(key)
    } else {
      this.#working.add(key)
      taker(key)
    }
  }

  /** Adds the key later; an earlier appointment stands. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return
    if (delayMs <= 0) {
      this.add(key)
      return
    }
    const dueAt = performance.now() + delayMs
    const existing = this.#timers.get(key)
    if (existing !== undefined && existing.dueAt <= dueAt) return
    clearTimeout(existing?.timer)
    const timer = setTimeout(() => {
      this.#timers.delete(key)
      this.add(key)
    }, delayMs)
    this.#timers.set(key, { timer, dueAt })
  }

  /** Adds the key after a delay that grows with every failure since {@link forget}. */
  addFailed(key: string): void {
    let backoff = this.#backoffs.get(key)
    if (backoff === undefined) {
      backoff = new Backoff(this.#retry)
      this.#backoffs.set(key, backoff)
    }
    this.addAfter(key, backoff.next())
  }

  /** The key's work went well. */
  forget(key: string): void {
    this.#backoffs.delete(key)
  }

  /** The next key, to be given back with {@link done}; nothing when the queue is closed. */
  async take(): Promise<string | undefined> {
    if (this.#isClosed) return undefined
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      this.#working.add(key)
      return key
    }
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  done(key: string): void {
    this.#working.delete(key)
    if (this.#again.delete(key)) this.add(key)
  }

  /** Wakes everybody who waits, drops everything that waits. */
  close(): void {
    this.#isClosed = true
    for (const { timer } of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#waiting.clear()
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }
}

/** What became of a key: nothing more to do, or look again after a while. */
export type ReconcileResult = { readonly againAfterMs: number } | undefined | void

/** How keys are worked on, and who hears of failures. */
export interface ReconcilerOptions {
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>
  readonly signal: AbortSignal
  /** Keys worked on at a time; one key never twice at a time. */
  readonly concurrency?: number
  /** Told of every failure; the key is retried. */
  readonly onError?: (key: string, error: unknown) => void
}

/** Works through a queue until the signal aborts; settles when the work in hand is done. */
export async function runReconciler(queue: WorkQueue, options: ReconcilerOptions): Promise<void> {
  const { signal, onError } = options
  const close = (): void => queue.close()
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })

  async function work(): Promise<void> {
    for (;;) {
      const key = await queue.take()
      if (key === undefined) return
      try {
        const result = await options.reconcile(key, signal)
        queue.forget(key)
        if (result) queue.addAfter(key, result.againAfterMs)
      } catch (error) {
        if (!signal.aborted) {
          onError?.(key, error)
          queue.addFailed(key)
        }
      } finally {
        queue.done(key)
      }
    }
  }

  await Promise.all(Array.from({ length: options.concurrency ?? 1 }, work))
  signal.removeEventListener('abort', close)
}
