import type { Change } from './filter.ts'
import { filters } from './filters/table.ts'
import type { PodInfo } from './pod-info.ts'
import type { QueueChange } from './queue-change.ts'

/** A pod that waits for a node. */
export interface Waiting {
  pod: PodInfo
  /** When it came, in milliseconds; ties of priority go to the one that waits longest. */
  readonly since: number
  attempts: number
  /** Filters that refused it at its last attempt. */
  refusedBy: ReadonlySet<string>
  /** Something that may help happened while it was being tried. */
  isStale: boolean
}

/** Where room comes free for one, not all the thousands who wait for it need to be looked at in that moment. */
const triedAtOnce = 16

const helpedBy = new Map(filters.map((filter) => [filter.name, new Set<Change>(filter.helpedBy)]))
const firstBackoffMs = 1000
const largestBackoffMs = 10_000
/** Pods that wait this long are tried again even if no event seemed to help them. */
const forgottenMs = 5 * 60_000

/**
 * Pods without a node: those to be tried now, by priority and then by age; those that wait out a delay after failing;
 * and those that wait for something to change. Times come from outside.
 */
export class SchedulingQueue {
  readonly #now: () => number
  readonly #active = new Heap<Waiting>(isBefore)
  /** uid -> where it is. */
  readonly #entries = new Map<
    string,
    { entry: Waiting; place: 'active' | 'backoff' | 'parked' | 'trying'; dueAt: number }
  >()
  readonly #backoff = new Heap<{ uid: string; dueAt: number }>((a, b) => a.dueAt < b.dueAt)
  readonly #parked = new Set<string>()
  readonly #trying = new Set<Waiting>()

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  get hasParked(): boolean {
    return this.#parked.size > 0
  }

  has(uid: string): boolean {
    return this.#entries.has(uid)
  }

  /** A pod that has no node, new or in a new form. */
  put(pod: PodInfo): void {
    const known = this.#entries.get(pod.uid)
    if (known === undefined) {
      const entry: Waiting = { pod, since: this.#now(), attempts: 0, refusedBy: new Set(), isStale: false }
      this.#activate(entry)
      return
    }
    const isChanged = known.entry.pod.spec !== pod.spec && mayMatter(known.entry.pod, pod)
    known.entry.pod = pod
    if (!isChanged) return
    if (known.place === 'parked') this.#wake(known.entry, { atOnce: true })
    else if (known.place === 'trying') known.entry.isStale = true
  }

  remove(uid: string): void {
    const known = this.#entries.get(uid)
    if (known === undefined) return
    this.#entries.delete(uid)
    this.#parked.delete(uid)
    this.#trying.delete(known.entry)
  }

  /** The pod to try now. It must be given back with {@link failed} or {@link remove}. */
  next(): Waiting | undefined {
    this.#promoteDue()
    for (let entry = this.#active.pop(); entry !== undefined; entry = this.#active.pop()) {
      const known = this.#entries.get(entry.pod.uid)
      // Removed or moved meanwhile: the heap is cleaned lazily.
      if (known === undefined || known.place !== 'active' || known.entry !== entry) continue
      known.place = 'trying'
      this.#trying.add(entry)
      entry.attempts += 1
      entry.isStale = false
      return entry
    }
    return undefined
  }

  /**
   * The attempt failed: the pod waits for a change that may help. Where one came meanwhile, or nobody refused it but
   * something went wrong, it only waits for its delay.
   */
  failed(entry: Waiting, refusedBy: ReadonlySet<string>): void {
    const known = this.#entries.get(entry.pod.uid)
    this.#trying.delete(entry)
    if (known === undefined) return
    entry.refusedBy = refusedBy
    known.dueAt = this.#now() + backoffMs(entry.attempts)
    if (entry.isStale || refusedBy.size === 0) this.#delay(entry)
    else {
      known.place = 'parked'
      this.#parked.add(entry.pod.uid)
    }
  }

  /**
   * Something changed: pods that it may help are tried again, the first few at once, the rest when their delay is
   * over. `mayFit` narrows them down further.
   */
  changed(changes: readonly QueueChange[]): void {
    for (const entry of this.#trying) entry.isStale = true
    const helped: Waiting[] = []
    for (const uid of this.#parked) {
      const entry = this.#entries.get(uid)?.entry
      if (entry !== undefined && changes.some((change) => helps(change, entry))) helped.push(entry)
    }
    if (helped.length === 0) return
    helped.sort((a, b) => (isBefore(a, b) ? -1 : 1))
    for (const [rank, entry] of helped.entries()) this.#wake(entry, { atOnce: rank < triedAtOnce })
  }

  /** Milliseconds until {@link next} may have something although nothing changes. */
  dueInMs(): number | undefined {
    const first = this.#backoff.peek()
    return first === undefined ? undefined : Math.max(0, first.dueAt - this.#now())
  }

  /** A safety net: nothing waits for ever. */
  wakeForgotten(): void {
    const before = this.#now() - forgottenMs
    for (const uid of this.#parked) {
      const known = this.#entries.get(uid)
      if (known !== undefined && known.dueAt < before) this.#wake(known.entry, { atOnce: false })
    }
  }

  #activate(entry: Waiting): void {
    this.#entries.set(entry.pod.uid, { entry, place: 'active', dueAt: 0 })
    this.#active.push(entry)
  }

  #wake(entry: Waiting, options: { readonly atOnce: boolean }): void {
    this.#parked.delete(entry.pod.uid)
    const known = this.#entries.get(entry.pod.uid)
    if (known === undefined) return
    if (options.atOnce || known.dueAt <= this.#now()) this.#activate(entry)
    else this.#delay(entry)
  }

  #delay(entry: Waiting): void {
    const known = this.#entries.get(entry.pod.uid)
    if (known === undefined) return
    known.place = 'backoff'
    this.#backoff.push({ uid: entry.pod.uid, dueAt: known.dueAt })
  }

  #promoteDue(): void {
    const now = this.#now()
    for (
      let first = this.#backoff.peek();
      first !== undefined && first.dueAt <= now;
      first = this.#backoff.peek()
    ) {
      this.#backoff.pop()
      const known = this.#entries.get(first.uid)
      if (known?.place === 'backoff') this.#activate(known.entry)
    }
  }
}

function helps({ change, mayFit }: QueueChange, entry: Waiting): boolean {
  for (const filter of entry.refusedBy) {
    if (helpedBy.get(filter)?.has(change)) return mayFit === undefined || mayFit(entry.pod)
  }
  return false
}

function backoffMs(attempts: number): number {
  return Math.min(firstBackoffMs * 2 ** Math.max(0, attempts - 1), largestBackoffMs)
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.pod.priority === b.pod.priority ? a.since < b.since : a.pod.priority > b.pod.priority
}

/** Did the pod itself change so that another try may go better? Its status changes with every failed attempt. */
function mayMatter(before: PodInfo, after: PodInfo): boolean {
  return (
    JSON.stringify(before.spec) !== JSON.stringify(after.spec) ||
    JSON.stringify(before.labels) !== JSON.stringify(after.labels)
  )
}

/** A binary heap: the first by `isBefore` is on top. */
class Heap<T> {
  readonly #items: T[] = []
  readonly #isBefore: (a: T, b: T) => boolean

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = items[parent]
      if (above === undefined || !this.#isBefore(item, above)) break
      items[at] = above
      at = parent
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      let below = items[child]
      if (below === undefined) break
      const right = items[child + 1]
      if (right !== undefined && this.#isBefore(right, below)) {
        child += 1
        below = right
      }
      if (!this.#isBefore(below, last)) break
      items[at] = below
      at = child
    }
    items[at] = last
    return first
  }
}
