import type { Json, JsonObject, KubeObject, ObjectList, Persisted, WatchEvent } from './object.ts'

/** One kind of object as the API serves it. `T` is the shape of its objects. */
export interface ResourceType<T = KubeObject> {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Never set; carries `T` for inference. */
  readonly shape?: T
}

/** An HTTP request before any transport. */
export interface KubeRequest {
  readonly method: string
  /** Path with query, from the root of the server. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

/** An answer, whose body may still be on its way. */
export interface KubeResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Chunks as they arrive. Must be read to its end or returned early, which ends the request. */
  readonly body: AsyncIterable<Uint8Array>
  /** The whole body as a text; read instead of the chunks, where they are not wanted one by one. */
  readonly text?: () => string | Promise<string>
  /** The same in the server's own objects, where it runs in this process; read instead of the body, not beside it. */
  readonly shared?: SharedAnswer
}

/** Objects as the server itself holds them. They belong to everybody: never change one. */
export interface SharedAnswer {
  /** The objects of a list. */
  list?(): ObjectList<KubeObject>
  /** The events of a watch, batch by batch. Must be read to its end or returned early. */
  events?(): AsyncIterable<readonly WatchEvent<KubeObject>[]>
}

/**
 * How requests reach a server: over TLS, or straight into the embedded cluster's own handler.
 *
 * @throws {UserError} `CLUSTER_UNREACHABLE` when there is no answer.
 */
export type Transport = (request: KubeRequest) => Promise<KubeResponse>

/** Where an object is: without namespace for cluster-scoped kinds. */
export interface ObjectName {
  /** Left out for cluster-scoped kinds. */
  readonly namespace?: string
  readonly name: string
}

/** What every request takes. */
export interface CallOptions {
  readonly signal?: AbortSignal
}

/** What every request that writes takes. */
export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean
  readonly fieldManager?: string
  /** Work on a subresource such as `status`, `scale`, `binding`, `token`. */
  readonly subresource?: string
}

/** What a patch takes. */
export interface PatchOptions extends WriteOptions {
  /** Take fields over from other managers (server-side apply only). */
  readonly force?: boolean
}

/** What a deletion takes. */
export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly preconditions?: { uid?: string; resourceVersion?: string }
  readonly dryRun?: boolean
}

/** What every request takes whose objects are only looked at. */
export interface ReadOptions extends CallOptions {
  /**
   * The objects are never changed: then a server in this process hands out its own, where each would otherwise be decoded
   * anew for every reader. Those of built-in kinds come without `kind` and `apiVersion`, as in any list.
   */
  readonly shared?: boolean
}

/** Which objects to list, and in which pieces. */
export interface ListOptions extends ReadOptions {
  /** All namespaces when left out. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
}

/** Which changes to watch, and from where on. */
export interface WatchOptions extends ReadOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Events after this version; what is there now comes first when left out. */
  readonly resourceVersion?: string
  readonly allowBookmarks?: boolean
  readonly timeoutSeconds?: number
}

/** A patch and how it is to be read. */
export type Patch =
  | { readonly type: 'json'; readonly operations: readonly Json[] }
  | { readonly type: 'merge'; readonly patch: JsonObject }
  | { readonly type: 'strategic'; readonly patch: JsonObject }
  | { readonly type: 'apply'; readonly object: object }

/**
 * The Kubernetes API as this program uses it: typed objects in and out, {@link StatusError} for refusals.
 * Cheap to make; holds no state beyond its transport.
 */
export interface KubeClient {
  get<T>(
    type: ResourceType<T>,
    at: ObjectName,
    options?: CallOptions & { subresource?: string },
  ): Promise<Persisted<T>>
  list<T>(type: ResourceType<T>, options?: ListOptions): Promise<ObjectList<Persisted<T>>>
  create<T>(
    type: ResourceType<T>,
    object: NoInfer<T> | Persisted<NoInfer<T>>,
    options?: WriteOptions & { namespace?: string },
  ): Promise<Persisted<T>>
  /** Creates through a subresource of an object (`token`, `binding`, `eviction`); the answer's shape is the caller's to state. */
  createSub<T>(
    type: ResourceType<unknown>,
    at: ObjectName,
    subresource: string,
    object: object,
    options?: WriteOptions,
  ): Promise<T>
  replace<T>(
    type: ResourceType<T>,
    at: ObjectName,
    object: NoInfer<T> | Persisted<NoInfer<T>>,
    options?: WriteOptions,
  ): Promise<Persisted<T>>
  patch<T>(type: ResourceType<T>, at: ObjectName, patch: Patch, options?: PatchOptions): Promise<Persisted<T>>
  /** The object as it was last, still there when finalizers or a grace period hold it; or a Status for kinds that answer so. */
  delete<T>(type: ResourceType<T>, at: ObjectName, options?: DeleteOptions): Promise<KubeObject>
  deleteCollection<T>(type: ResourceType<T>, options?: ListOptions & DeleteOptions): Promise<void>
  /** One watch request: ends with the server's timeout, the signal, or a dropped connection. Throws `Expired` as a StatusError. */
  watch<T>(type: ResourceType<T>, options?: WatchOptions): AsyncIterable<WatchEvent<Persisted<T>>>
  /** Any other request: version, reviews, logs, raw paths. */
  raw(request: KubeRequest): Promise<KubeResponse>
}
