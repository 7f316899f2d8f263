import type { KubeClient, ObjectName, ResourceType } from './client.ts'
import { type Change, keyOf, listWatch } from './list-watch.ts'
import type { ObjectMeta, Persisted } from './object.ts'

/** One set of objects in memory, shared by all who look at it. What is in it belongs to everybody: never change it. */
export interface SharedInformer<T> {
  readonly type: ResourceType<T>
  readonly synced: Promise<void>
  /** By `namespace/name`, or name alone for cluster-scoped kinds. */
  readonly objects: ReadonlyMap<string, Persisted<T>>
  get(at: ObjectName): Persisted<T> | undefined
  /** Objects of one namespace, without looking at others. */
  inNamespace(namespace: string): Iterable<Persisted<T>>
  /** Calls for everything there is now as `ADDED`, then for every change, in order. Must not throw and not block. */
  subscribe(listener: (change: Exclude<Change<T>, { type: 'SYNCED' }>) => void): void
  /** Ends the watch and forgets everything. For resources that are no longer served. */
  stop(): void
}

/** What metadata-only informers keep of an object. */
export interface ObjectIdentity {
  metadata: Pick<ObjectMeta, 'namespace' | 'ownerReferences' | 'finalizers' | 'deletionTimestamp'>
}

/** Caches that several clients of one account share: one list and one watch per kind. */
export interface SharedInformers {
  /** The informer for a kind, started on first use. */
  of<T>(type: ResourceType<T>): SharedInformer<T>
  /** The same for those who only need to know what exists: keeps metadata only, unless somebody needs the whole. */
  identities(type: ResourceType): SharedInformer<ObjectIdentity>
  /** Ends the informer of a kind that is no longer served. */
  drop(type: ResourceType): void
}

/** How long the caches are kept up to date, and who hears of failures. */
export interface SharedInformersOptions {
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

/** One list and watch per kind for all controllers and the scheduler together. */
export function createSharedInformers(client: KubeClient, options: SharedInformersOptions): SharedInformers {
  const whole = new Map<string, SharedInformer<unknown>>()
  const slim = new Map<string, SharedInformer<unknown>>()
  const idOf = (type: ResourceType<unknown>): string => `${type.group}/${type.plural}`

  function started<T>(
    table: Map<string, SharedInformer<unknown>>,
    type: ResourceType<T>,
    keep: (object: Persisted<T>) => Persisted<T>,
  ): SharedInformer<T> {
    const existing = table.get(idOf(type))
    // The table holds under a kind's name what was made for that kind.
    if (existing !== undefined) return existing as SharedInformer<T>
    const made = start(client, type, keep, options)
    table.set(idOf(type), made as SharedInformer<unknown>)
    return made
  }

  return {
    of: (type) => started(whole, type, (object) => object),
    identities(type) {
      const existing = whole.get(idOf(type))
      if (existing !== undefined) return existing as SharedInformer<ObjectIdentity>
      return started(slim, type as ResourceType<ObjectIdentity>, identityOf)
    },
    drop(type) {
      for (const table of [whole, slim]) {
        table.get(idOf(type))?.stop()
        table.delete(idOf(type))
      }
    },
  }
}

function identityOf(object: Persisted<ObjectIdentity>): Persisted<ObjectIdentity> {
  const { metadata } = object
  return {
    metadata: {
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: metadata.creationTimestamp,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      ...(metadata.ownerReferences !== undefined && { ownerReferences: metadata.ownerReferences }),
      ...(metadata.finalizers !== undefined && { finalizers: metadata.finalizers }),
      ...(metadata.deletionTimestamp !== undefined && { deletionTimestamp: metadata.deletionTimestamp }),
    },
  }
}

/** A map that keeps what `keep` makes of the objects put into it, and an index of them by namespace. */
class IndexedObjects<T> extends Map<string, Persisted<T>> {
  readonly #keep: (object: Persisted<T>) => Persisted<T>
  readonly byNamespace = new Map<string, Map<string, Persisted<T>>>()

  constructor(keep: (object: Persisted<T>) => Persisted<T>) {
    super()
    this.#keep = keep
  }

  override set(key: string, object: Persisted<T>): this {
    const kept = this.#keep(object)
    const namespace = object.metadata.namespace ?? ''
    let siblings = this.byNamespace.get(namespace)
    if (siblings === undefined) {
      siblings = new Map()
      this.byNamespace.set(namespace, siblings)
    }
    siblings.set(key, kept)
    return super.set(key, kept)
  }

  override delete(key: string): boolean {
    const object = this.get(key)
    if (object !== undefined) {
      const namespace = object.metadata.namespace ?? ''
      const siblings = this.byNamespace.get(namespace)
      siblings?.delete(key)
      if (siblings?.size === 0) this.byNamespace.delete(namespace)
    }
    return super.delete(key)
  }
}

function start<T>(
  client: KubeClient,
  type: ResourceType<T>,
  keep: (object: Persisted<T>) => Persisted<T>,
  options: SharedInformersOptions,
): SharedInformer<T> {
  const objects = new IndexedObjects<T>(keep)
  const listeners: ((change: Exclude<Change<T>, { type: 'SYNCED' }>) => void)[] = []
  const stopping = new AbortController()
  const signal = AbortSignal.any([options.signal, stopping.signal])
  let setSynced = (): void => undefined
  const synced = new Promise<void>((resolve) => {
    setSynced = resolve
  })
  // Whoever waits for the first list must not wait for ever when everything ends before it.
  signal.addEventListener('abort', () => setSynced(), { once: true })

  async function run(): Promise<void> {
    const changes = listWatch(client, type, { signal, onError: options.onError, cache: objects })
    for await (const change of changes) {
      if (change.type === 'SYNCED') {
        setSynced()
        continue
      }
      for (const listener of listeners) {
        try {
          listener(change)
        } catch (error) {
          options.onError(error)
        }
      }
    }
  }

  run().catch(options.onError)
  return {
    type,
    synced,
    objects,
    get: (at) => objects.get(keyOf({ metadata: at })),
    inNamespace: (namespace) => objects.byNamespace.get(namespace)?.values() ?? [],
    subscribe(listener) {
      for (const object of objects.values()) listener({ type: 'ADDED', object })
      listeners.push(listener)
    },
    stop: () => stopping.abort(),
  }
}
