import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from './backoff.ts'
import type { KubeClient, ListOptions, ObjectName, ResourceType } from './client.ts'
import type { KubeObject, Persisted } from './object.ts'
import { isStatus } from './status.ts'

/** One change of a watched set. `SYNCED` follows the first complete list. */
export type Change<T> =
  | { readonly type: 'ADDED'; readonly object: Persisted<T> }
  | { readonly type: 'MODIFIED'; readonly object: Persisted<T>; readonly previous: Persisted<T> }
  | { readonly type: 'DELETED'; readonly object: Persisted<T> }
  | { readonly type: 'SYNCED' }

/** Which objects to follow, and until when. */
export interface ListWatchOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Ends the stream, quietly. */
  readonly signal: AbortSignal
  /** Told of every failed request; the stream goes on by itself. */
  readonly onError?: (error: unknown) => void
  /** Between 0 and 1; spreads retries and time-outs. */
  readonly random?: () => number
}

/** `namespace/name`, or the name alone for cluster-scoped objects: the key of caches and work queues. */
export function keyOf(object: { metadata: { namespace?: string; name?: string } }): string {
  const { namespace, name = '' } = object.metadata
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}

/** The object that a key names. */
export function parseKey(key: string): ObjectName {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

const pageSize = 500
const watchSeconds = 300

/**
 * Lists a set of objects and then follows it, for ever: resumes after dropped connections, lists anew when the
 * server's history is gone, waits longer after each failure. `cache` is changed just before a change is delivered.
 */
export async function* listWatch<T>(
  client: KubeClient,
  type: ResourceType<T>,
  options: ListWatchOptions & { readonly cache?: Map<string, Persisted<T>> },
): AsyncGenerator<Change<T>, void, undefined> {
  const { signal, onError } = options
  const random = options.random ?? Math.random
  const cache = options.cache ?? new Map<string, Persisted<T>>()
  const backoff = new Backoff({ firstMs: 100, largestMs: 30_000, random })
  const where = {
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    ...(options.labelSelector !== undefined && { labelSelector: options.labelSelector }),
    ...(options.fieldSelector !== undefined && { fieldSelector: options.fieldSelector }),
    signal,
    shared: true,
  }
  let resourceVersion: string | undefined
  let isSynced = false
  while (!signal.aborted) {
    try {
      if (resourceVersion === undefined) {
        const list = await listAll(client, type, where)
        yield* difference(cache, list.items)
        resourceVersion = list.resourceVersion
        if (!isSynced) {
          isSynced = true
          yield { type: 'SYNCED' }
        }
      }
      const watch = client.watch(type, {
        ...where,
        resourceVersion,
        allowBookmarks: true,
        // Many watchers that started together should not all come back together.
        timeoutSeconds: Math.ceil(watchSeconds * (1 + random())),
      })
      const startedAt = performance.now()
      for await (const event of watch) {
        backoff.reset()
        resourceVersion = event.object.metadata.resourceVersion
        yield* applied(cache, event.type, event.object)
      }
      // A server that ends watches at once must not be asked in a tight loop.
      if (performance.now() - startedAt < 1000) await pause(backoff.next(), signal)
    } catch (error) {
      if (signal.aborted) return
      if (isStatus(error, 'Expired') || isStatus(error, 'Gone')) {
        resourceVersion = undefined
        continue
      }
      // A kind that was served and is no more is nobody's failure: whoever knows of that will end this.
      if (!isSynced || !isStatus(error, 'NotFound')) onError?.(error)
      await pause(backoff.next(), signal)
    }
  }
}

async function listAll<T>(
  client: KubeClient,
  type: ResourceType<T>,
  where: ListOptions,
): Promise<{ items: Persisted<T>[]; resourceVersion: string }> {
  const items: Persisted<T>[] = []
  let next: string | undefined
  for (;;) {
    const page = await client.list(type, {
      ...where,
      limit: pageSize,
      ...(next !== undefined && { continue: next }),
    })
    items.push(...page.items)
    next = page.metadata.continue
    if (next === undefined || next === '') {
      return { items, resourceVersion: page.metadata.resourceVersion ?? '0' }
    }
  }
}

function* difference<T>(
  cache: Map<string, Persisted<T>>,
  items: readonly Persisted<T>[],
): Generator<Change<T>> {
  const present = new Set(items.map(keyOf))
  for (const [key, object] of cache) {
    if (present.has(key)) continue
    cache.delete(key)
    yield { type: 'DELETED', object }
  }
  for (const object of items) {
    const previous = cache.get(keyOf(object))
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion) continue
    yield* applied(cache, 'MODIFIED', object)
  }
}

function* applied<T>(
  cache: Map<string, Persisted<T>>,
  type: string,
  object: Persisted<T>,
): Generator<Change<T>> {
  if (type === 'BOOKMARK') return
  const key = keyOf(object)
  const previous = cache.get(key)
  if (type === 'DELETED') {
    cache.delete(key)
    yield { type: 'DELETED', object }
    return
  }
  // Deleted and made anew while no watch was running: two objects, not one that changed.
  const isAnother = previous !== undefined && previous.metadata.uid !== object.metadata.uid
  if (isAnother) {
    cache.delete(key)
    yield { type: 'DELETED', object: previous }
  }
  cache.set(key, object)
  if (previous === undefined || isAnother) yield { type: 'ADDED', object }
  else yield { type: 'MODIFIED', object, previous }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** A set of objects kept up to date in memory. Read-only: what is in it belongs to everybody. */
export interface Informer<T> {
  /** By {@link keyOf}. */
  readonly objects: ReadonlyMap<string, Persisted<T>>
  /** Settles when the first list is in; rejects when the signal aborts before. */
  readonly synced: Promise<void>
  /** Settles when the informer has stopped. Never rejects. */
  readonly stopped: Promise<void>
  get(at: ObjectName): Persisted<T> | undefined
  list(namespace?: string): Persisted<T>[]
  /** Calls for every change from now on, in order, just after `objects` shows it. Must not throw and not block. */
  subscribe(listener: (change: Change<T>) => void): void
}

/**
 * Keeps a set of objects in memory until the signal aborts. Subscribe at once: the first list arrives later, as
 * `ADDED` changes.
 *
 * @example
 * ```ts
 * const pods = startInformer(client, kinds.pods, { signal })
 * pods.subscribe((change) => { if (change.type !== 'SYNCED') queue.add(keyOf(change.object)) })
 * await pods.synced
 * ```
 */
export function startInformer<T = KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: ListWatchOptions,
): Informer<T> {
  const objects = new Map<string, Persisted<T>>()
  const listeners: ((change: Change<T>) => void)[] = []
  const { promise: synced, resolve: setSynced, reject: failSynced } = withResolvers()
  // Nobody may be waiting when the signal aborts.
  synced.catch(() => undefined)

  async function run(): Promise<void> {
    for await (const change of listWatch(client, type, { ...options, cache: objects })) {
      for (const listener of listeners) {
        try {
          listener(change)
        } catch (error) {
          options.onError?.(error)
        }
      }
      if (change.type === 'SYNCED') setSynced()
    }
  }

  const stopped = run().then(
    () => failSynced(options.signal.reason),
    (error: unknown) => {
      options.onError?.(error)
      failSynced(error)
    },
  )
  return {
    objects,
    synced,
    stopped,
    get: (at) => objects.get(keyOf({ metadata: at })),
    list: (namespace) =>
      namespace === undefined
        ? [...objects.values()]
        : [...objects.values()].filter((object) => object.metadata.namespace === namespace),
    subscribe: (listener) => {
      listeners.push(listener)
    },
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve = (): void => undefined
  let reject = (_error: unknown): void => undefined
  const promise = new Promise<void>((onDone, onFailed) => {
    resolve = onDone
    reject = onFailed
  })
  return { promise, resolve, reject }
}
