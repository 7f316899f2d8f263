import type { Stored } from './store.ts'

/** Keys in order with their values; finds, inserts and cuts ranges by binary search. */
export class SortedTable<V> {
  readonly #keys: string[] = []
  readonly #values = new Map<string, Stored<V>>()
  /** Revision of the last change. */
  revision = 0

  get(key: string): Stored<V> | undefined {
    return this.#values.get(key)
  }

  set(stored: Stored<V>): void {
    if (!this.#values.has(stored.key)) {
      const last = this.#keys.at(-1)
      // Names often grow (`pod-1`, `pod-2`, ...): appending needs no search and moves nothing.
      if (last === undefined || last < stored.key) this.#keys.push(stored.key)
      else this.#keys.splice(this.#firstAtOrAfter(stored.key), 0, stored.key)
    }
    this.#values.set(stored.key, stored)
  }

  remove(key: string): void {
    if (!this.#values.delete(key)) return
    this.#keys.splice(this.#firstAtOrAfter(key), 1)
  }

  count(prefix: string): number {
    return this.#firstBehind(prefix) - this.#firstAtOrAfter(prefix)
  }

  /** The keys under a prefix as they are now, behind `after` when given; a copy that later changes do not touch. */
  keys(prefix: string, after?: string): string[] {
    const start = this.#firstAtOrAfter(after !== undefined && after >= prefix ? `${after}\0` : prefix)
    return this.#keys.slice(start, this.#firstBehind(prefix))
  }

  #firstBehind(prefix: string): number {
    // No key contains U+FFFF, so this is above everything that begins with the prefix.
    return this.#firstAtOrAfter(`${prefix}\uffff`)
  }

  #firstAtOrAfter(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const candidate = this.#keys[middle]
      if (candidate !== undefined && candidate < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
