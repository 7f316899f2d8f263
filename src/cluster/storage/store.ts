/** One object as the store keeps it. Never change `value` in place: readers share it. */
export interface Stored<V = unknown> {
  readonly key: string
  /** Revision of the write that made it; grows by one with every write of the whole store. */
  readonly revision: number
  /** The value encoded, ready to be sent. */
  readonly json: string
  readonly value: V
}

/** A durable change. `previous` is what the key held before; `current` is absent after a removal. */
export interface Change<V = unknown> {
  readonly key: string
  readonly revision: number
  readonly previous: Stored<V> | undefined
  readonly current: Stored<V> | undefined
}

/** What a writer wants to happen to one key. */
export interface Write<V = unknown> {
  readonly key: string
  /** Revision the key must have now; 0: must not exist. The store never writes unconditionally. */
  readonly expected: number
  /**
   * Makes the new value, given the revision it will have; absent to remove the key. Called once, synchronously.
   */
  readonly make?: (revision: number) => { readonly value: V; readonly json: string }
}

/** The key does not have the revision a write expected. */
export class StoreConflict extends Error {
  readonly key: string
  readonly actual: number
  constructor(key: string, actual: number) {
    super(`key "${key}" is at revision ${actual}`)
    this.name = 'StoreConflict'
    this.key = key
    this.actual = actual
  }
}

/** The disk refused a write. Nothing of it is kept; a later write may work again. */
export class StoreFailed extends Error {
  constructor(why: string, options?: { cause: unknown }) {
    super(`the write could not be stored: ${why}`, options)
    this.name = 'StoreFailed'
  }
}

/** The history asked for is gone. */
export class HistoryGone extends Error {
  readonly oldest: number
  constructor(asked: number, oldest: number) {
    super(`revision ${asked} is older than the history kept, which begins at ${oldest}`)
    this.name = 'HistoryGone'
    this.oldest = oldest
  }
}

/**
 * Keys in byte order with values, revisions and a history of changes. Two views: readers see what is durable
 * (`get`, `scan`, `watch`), writers also see writes that are on their way to disk (`latest`), so that a check and
 * the write that relies on it are one step.
 */
export interface Store<V = unknown> {
  /** Revision of the newest durable write. */
  readonly revision: number
  /** The durable value. */
  get(key: string): Stored<V> | undefined
  /** The newest value, durable or not yet. For read-modify-write only; never show it to anyone. */
  latest(key: string): Stored<V> | undefined
  /**
   * Durable values under a prefix in key order. `after`: start behind this key. `at`: as of that revision.
   *
   * @throws {HistoryGone} when `at` is older than the history kept.
   */
  scan(prefix: string, options?: { readonly after?: string; readonly at?: number }): Iterable<Stored<V>>
  /** Number of durable keys under a prefix; cheap. */
  count(prefix: string): number
  /** Changes whenever anything under the prefix does; for caches. Prefixes as used with {@link watch}. */
  version(prefix: string): number
  /**
   * Checks, numbers and applies one write. Resolves when it is on disk and visible to readers; writes become visible
   * in the order of their revisions.
   *
   * @throws {StoreConflict} at once, nothing written.
   * @throws {StoreFailed} when the disk refuses; nothing is written.
   */
  write(change: Write<V>): Promise<Stored<V> | undefined>
  /** Resolves when every write made so far is on disk or has failed. */
  flushed(): Promise<void>
  /**
   * Durable changes under a prefix with a revision above `after`, batch by batch, until the signal. A consumer that
   * falls too far behind gets {@link HistoryGone}.
   *
   * @throws {HistoryGone} at once when changes since `after` are no longer known.
   */
  watch(
    prefix: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<readonly Change<V>[]>
  /** Waits for writes on their way, then lets go of the files. */
  close(): Promise<void>
}
