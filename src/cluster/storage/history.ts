import { type Change, HistoryGone, type Stored } from './store.ts'

/** How many bytes of former values are kept for watches that resume and lists that page. */
export interface HistoryLimits {
  readonly bytes: number
  readonly changes: number
}

/** So many changes are kept as they are used: decoded. */
const freshChanges = 256

/** What happens to the two values of a change that is no longer fresh: both may still be asked for. */
export interface Settling<V> {
  former(stored: Stored<V>): void
  current(stored: Stored<V>): void
}

/** The last changes in order, bounded in number and bytes. */
export class History<V> {
  readonly #limits: HistoryLimits
  /** Entries before `#start` are dropped at once; the array itself is cut only now and then. */
  #changes: (Change<V> | undefined)[] = []
  #start = 0
  #bytes = 0
  readonly #settling: Settling<V>
  /** Changes with a revision up to this one are not known any more. */
  #forgottenUpTo: number

  constructor(limits: HistoryLimits, forgottenUpTo: number, settling: Settling<V>) {
    this.#limits = limits
    this.#settling = settling
    this.#forgottenUpTo = forgottenUpTo
  }

  get forgottenUpTo(): number {
    return this.#forgottenUpTo
  }

  add(change: Change<V>): void {
    this.#changes.push(change)
    this.#bytes += sizeOf(change)
    // Watchers look at what is new; the rest waits for those that come back.
    const settled = this.#changes[this.#changes.length - freshChanges]
    if (settled?.previous) this.#settling.former(settled.previous)
    if (settled?.current) this.#settling.current(settled.current)
    while (
      this.#changes.length - this.#start > 1 &&
      (this.#bytes > this.#limits.bytes || this.#changes.length - this.#start > this.#limits.changes)
    ) {
      const oldest = this.#changes[this.#start]
      if (oldest === undefined) break
      this.#changes[this.#start++] = undefined
      this.#bytes -= sizeOf(oldest)
      this.#forgottenUpTo = oldest.revision
    }
    if (this.#start > 1024 && this.#start * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#start)
      this.#start = 0
    }
  }

  /**
   * Changes under a prefix after a revision, oldest first.
   *
   * @throws {HistoryGone} when some of them are forgotten.
   */
  since(after: number, prefix: string): Change<V>[] {
    if (after < this.#forgottenUpTo) throw new HistoryGone(after, this.#forgottenUpTo)
    const found: Change<V>[] = []
    for (let index = this.#changes.length - 1; index >= this.#start; index--) {
      const change = this.#changes[index]
      if (change === undefined || change.revision <= after) break
      if (change.key.startsWith(prefix)) found.push(change)
    }
    return found.reverse()
  }
}

function sizeOf(change: Change): number {
  return 200 + (change.previous?.json.length ?? 0)
}
