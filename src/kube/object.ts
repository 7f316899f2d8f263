/**
 * A value that JSON can hold. Whole numbers too wide for a `number` are bigints: {@link parseExactJson} makes such,
 * {@link exactJsonText} writes them.
 */
export type Json = null | boolean | number | bigint | string | Json[] | { [field: string]: Json | undefined }

/** A JSON object. */
export type JsonObject = { [field: string]: Json | undefined }

/** The object that another one belongs to, and goes with. */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** The fields that one manager set. */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: JsonObject
  subresource?: string
}

/** `metadata` of an object as the wire has it: times are RFC 3339 strings. */
export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  /** No longer anything but what clients of old send. */
  selfLink?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
}

/** Any Kubernetes object. The typed shapes come from `kubernetes-types`. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
  [field: string]: unknown
}

/** What a server returns of an object that it has stored. */
export type Persisted<T> = Omit<T, 'metadata'> & {
  metadata: ObjectMeta & { name: string; uid: string; resourceVersion: string; creationTimestamp: string }
}

/** Where a list stands in the history, and where it goes on. */
export interface ListMeta {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

/** A page of objects. */
export interface ObjectList<T> {
  apiVersion?: string
  kind?: string
  metadata: ListMeta
  items: T[]
}

/** One line of a watch. `ERROR` carries a `Status`. */
export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: T
}

/**
 * `{ ...base, ...more }` for objects that stay in memory by the thousand. Where a spread is followed by further fields, V8
 * gives each object a hidden class of its own, which is larger than most objects.
 */
export function extended<A extends object, B extends object>(base: A, more: B): Omit<A, keyof B> & B {
  return Object.assign({}, base, more)
}
