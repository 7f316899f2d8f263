import { parseExactJson } from '../../kube/index.ts'
import type { Disk, DiskChange } from './disk.ts'
import { History, type HistoryLimits } from './history.ts'
import { SortedTable } from './sorted-table.ts'
import {
  type Change,
  HistoryGone,
  type Store,
  StoreConflict,
  StoreFailed,
  type Stored,
  type Write,
} from './store.ts'
import { Subscription } from './subscription.ts'

/** How much of the past is kept. */
export interface StoreOptions {
  readonly history?: Partial<HistoryLimits>
  /** Changes a watcher may lag behind before it is cut off. */
  readonly watcherBacklog?: number
}

interface Waiting<V> {
  readonly change: Change<V>
  readonly resolve: (stored: Stored<V> | undefined) => void
  readonly reject: (error: Error) => void
}

/**
 * A value that is decoded when it is first looked at: a start with many records stays quick. One that nobody has used for a
 * while is held as long as somebody else holds it, so that no two copies of an object are in memory.
 */
class Record<V> implements Stored<V> {
  readonly key: string
  readonly revision: number
  readonly json: string
  #value: V | undefined
  #lent: WeakRef<V & object> | undefined

  constructor(key: string, revision: number, json: string, value?: V) {
    this.key = key
    this.revision = revision
    this.json = json
    this.#value = value
  }

  /** Lets go of the decoded value; the text remains. */
  shed(): void {
    this.#value = undefined
    this.#lent = undefined
  }

  /** Leaves the decoded value to those who hold it. */
  lend(): void {
    const value = this.#value
    if (typeof value !== 'object' || value === null) return
    this.#lent = new WeakRef(value)
    this.#value = undefined
  }

  get value(): V {
    // The text was made of a V when it was written.
    const value = this.#value ?? this.#lent?.deref() ?? (parseExactJson(this.json) as V)
    this.#value = value
    return value
  }
}

/**
 * The {@link Store}: everything in memory in key order, every write on a {@link Disk} before anyone sees it. Writes that
 * arrive while the disk is busy go out together with the next batch (group commit).
 *
 * A key's first two segments (`group/plural/`) name its table; scans and watches stay within one table.
 */
export class OrderedStore<V> implements Store<V> {
  readonly #disk: Disk
  readonly #tables = new Map<string, SortedTable<V>>()
  readonly #history: History<V>
  readonly #subscriptions = new Map<string, Set<Subscription<V>>>()
  readonly #backlog: number
  /** Newest writes that are not on disk yet; undefined for a removal. */
  readonly #pending = new Map<string, Change<V>>()
  #revision: number
  #head: number
  #queue: Waiting<V>[] = []
  #flushing: Promise<void> | undefined
  #closed = false

  constructor(disk: Disk, options: StoreOptions = {}) {
    this.#disk = disk
    this.#backlog = options.watcherBacklog ?? 20_000
    const contents = disk.load()
    this.#revision = contents.revision
    this.#head = contents.revision
    for (const record of contents.records) {
      const table = this.#table(record.key)
      table.set(new Record<V>(record.key, record.revision, record.json))
      if (record.revision > table.revision) table.revision = record.revision
    }
    const limits = { bytes: 32 * 1024 * 1024, changes: 50_000, ...options.history }
    this.#history = new History<V>(limits, contents.forgottenUpTo, {
      former: (stored) => stored instanceof Record && stored.shed(),
      current: (stored) => stored instanceof Record && stored.lend(),
    })
    for (const change of this.#withCurrents([...contents.changes])) {
      this.#history.add(change)
      const table = this.#table(change.key)
      if (change.revision > table.revision) table.revision = change.revision
    }
  }

  get revision(): number {
    return this.#revision
  }

  /** The oldest revision that lists and watches may ask for. */
  get oldestKnown(): number {
    return this.#history.forgottenUpTo
  }

  get(key: string): Stored<V> | undefined {
    return this.#tables.get(tableOf(key))?.get(key)
  }

  latest(key: string): Stored<V> | undefined {
    const pending = this.#pending.get(key)
    return pending ? pending.current : this.get(key)
  }

  *scan(
    prefix: string,
    options: { readonly after?: string; readonly at?: number } = {},
  ): Iterable<Stored<V>> {
    const table = this.#tables.get(tableOf(prefix))
    const { after, at } = options
    if (at !== undefined && at < this.#revision) {
      yield* this.#scanAt(prefix, at, after)
      return
    }
    if (!table) return
    for (const key of table.keys(prefix, after)) {
      const stored = table.get(key)
      if (stored) yield stored
    }
  }

  count(prefix: string): number {
    return this.#tables.get(tableOf(prefix))?.count(prefix) ?? 0
  }

  version(prefix: string): number {
    return this.#tables.get(tableOf(prefix))?.revision ?? 0
  }

  write(write: Write<V>): Promise<Stored<V> | undefined> {
    const { key, expected, make } = write
    const previous = this.latest(key)
    const actual = previous?.revision ?? 0
    if (actual !== expected) return Promise.reject(new StoreConflict(key, actual))
    if (this.#closed) return Promise.reject(new StoreFailed('the store is closed'))
    const revision = this.#head + 1
    const made = make?.(revision)
    const current = made && new Record(key, revision, made.json, made.value)
    const change: Change<V> = { key, revision, previous, current }
    this.#head = revision
    this.#pending.set(key, change)
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  watch(
    prefix: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<readonly Change<V>[]> {
    // Nothing can be published between these lines: both run in one turn.
    const backlog = this.#history.since(options.after, prefix)
    const table = tableOf(prefix)
    const subscription = new Subscription<V>(prefix, options.after, backlog, this.#backlog, () => {
      this.#subscriptions.get(table)?.delete(subscription)
    })
    const subscriptions = this.#subscriptions.get(table) ?? new Set()
    subscriptions.add(subscription)
    this.#subscriptions.set(table, subscriptions)
    return subscription.batches(options.signal)
  }

  async flushed(): Promise<void> {
    await this.#flushing
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#flushing
    for (const subscriptions of this.#subscriptions.values()) for (const one of subscriptions) one.end()
    await this.#disk.close()
  }

  async #flush(): Promise<void> {
    // Let all writes of this turn join the first batch.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      try {
        await this.#disk.append(
          batch.map(({ change }) => onDisk(change)),
          this.#history.forgottenUpTo,
        )
      } catch (cause) {
        this.#undo(batch, cause)
        continue
      }
      this.#publish(batch)
    }
    this.#flushing = undefined
  }

  #publish(batch: readonly Waiting<V>[]): void {
    const changed = new Map<string, Change<V>[]>()
    for (const { change } of batch) {
      const name = tableOf(change.key)
      const table = this.#table(change.key)
      if (change.current) table.set(change.current)
      else table.remove(change.key)
      table.revision = change.revision
      this.#revision = change.revision
      this.#history.add(change)
      if (this.#pending.get(change.key) === change) this.#pending.delete(change.key)
      const changes = changed.get(name)
      if (changes) changes.push(change)
      else changed.set(name, [change])
    }
    for (const [name, changes] of changed)
      for (const subscription of this.#subscriptions.get(name) ?? []) subscription.push(changes)
    for (const { change, resolve } of batch) resolve(change.current)
  }

  /** Nothing of the batch is on disk: nobody has seen it, so its revisions may be given out again. */
  #undo(batch: readonly Waiting<V>[], cause: unknown): void {
    const failed = [...batch, ...this.#queue]
    this.#queue = []
    this.#pending.clear()
    this.#head = this.#revision
    const why = cause instanceof Error ? cause.message : String(cause)
    for (const { reject } of failed) reject(new StoreFailed(why, { cause }))
  }

  #table(key: string): SortedTable<V> {
    const name = tableOf(key)
    const table = this.#tables.get(name) ?? new SortedTable<V>()
    this.#tables.set(name, table)
    return table
  }

  *#scanAt(prefix: string, at: number, after: string | undefined): Iterable<Stored<V>> {
    const then = new Map<string, Stored<V> | undefined>()
    // Newest first, so that the oldest change after `at` has the last word on what was there before it.
    for (const change of this.#history.since(at, prefix).reverse()) then.set(change.key, change.previous)
    const table = this.#tables.get(tableOf(prefix))
    const keys = new Set([...(table?.keys(prefix) ?? []), ...then.keys()])
    for (const key of [...keys].sort()) {
      if (after !== undefined && key <= after) continue
      const stored = then.has(key) ? then.get(key) : table?.get(key)
      if (stored) yield stored
    }
  }

  /** The disk keeps only former values; what a change made is the next change's former value, or the key's value now. */
  #withCurrents(changes: readonly DiskChange[]): Change<V>[] {
    const next = new Map<string, Stored<V> | undefined>()
    const restored: Change<V>[] = []
    for (const { key, revision, previousRevision, previousJson } of changes.toReversed()) {
      const current = next.has(key) ? next.get(key) : this.get(key)
      const previous = previousRevision > 0 ? new Record<V>(key, previousRevision, previousJson) : undefined
      next.set(key, previous)
      restored.push({ key, revision, previous, current })
    }
    return restored.reverse()
  }
}

function onDisk(change: Change): DiskChange {
  return {
    revision: change.revision,
    key: change.key,
    json: change.current?.json,
    previousRevision: change.previous?.revision ?? 0,
    previousJson: change.previous?.json ?? '',
  }
}

/** `group/plural/` of a key or of a prefix that names at least the table. */
function tableOf(key: string): string {
  const second = key.indexOf('/', key.indexOf('/') + 1)
  if (second < 0) throw new Error(`"${key}" names no table`)
  return key.slice(0, second + 1)
}

export { HistoryGone }
