import type { JsonObject, KubeObject } from '../../kube/index.ts'
import type { Fault } from './faults.ts'
import type { ResourceRequest, Verb } from './request.ts'
import type { Schema } from './schema/schema.ts'
import type { Selection } from './selection.ts'

/** One column of a server-side table (`metav1.TableColumnDefinition`) and how its cell is made. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description: string
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: number
  /** `now` in milliseconds since the epoch. */
  cell(object: KubeObject, now: number): string | number | boolean | null
}

/**
 * The objects of the kind that are there already, in all namespaces: for what no two of them may share. Of kinds that are
 * exclusive also those on their way to the disk.
 */
export type AllOfKind = () => Iterable<KubeObject>

/** JSONPaths of the `scale` subresource, as in a CRD. */
export interface ScalePaths {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath?: string
}

/** The objects of a kind that are made when they are asked for, and stored nowhere. */
export interface ComputedObjects {
  /** @throws {StatusError} `NotFound`. */
  get(request: ResourceRequest): Promise<KubeObject>
  /** Those that the selectors mean, in the order of their names. */
  list(request: ResourceRequest, selection: Selection): Promise<readonly KubeObject[]>
}

/**
 * A kind that the cluster serves and stores: one file per kind under `resources/` exports one of these, and
 * `resources/table.ts` lists them; CRDs make more at run time. The hooks run in the order in which they stand here.
 * They may change `object` in place (it is the request's own copy) but never `old`.
 */
export interface ResourceDefinition {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly namespaced: boolean
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  /** All eight when left out. */
  readonly verbs?: readonly Verb[]
  /** In place of what is stored; such a kind can be read and nothing else, and says so with its verbs. */
  readonly computed?: ComputedObjects
  /** What every answer about a kind warns of that has a better successor. */
  readonly deprecation?: string
  /** Hash that discovery shows; clients compare it and nothing else. */
  readonly storageVersionHash?: string
  /** Where objects of several served versions live together; `group/plural` when left out. */
  readonly storedAs?: string
  readonly schema: Schema
  /** Schemas of all versions by name, also of those not served: whoever wrote one owns fields as that one has them. */
  readonly versionSchemas?: ReadonlyMap<string, Schema>
  readonly hasStatus: boolean
  /** The status that a new object comes with is not emptied: nodes register with theirs. */
  readonly keepsStatusOnCreate?: boolean
  readonly scale?: ScalePaths
  /**
   * Subresources that are read and changed with the object's own body, as `status` is, and the half that they change.
   * What else they leave alone is put back in {@link prepareForUpdate}.
   */
  readonly views?: Readonly<Record<string, 'desired' | 'status'>>
  /** CRDs keep no strategic merge patch. */
  readonly isCustom?: boolean
  /** No two objects may have what {@link validate} finds to be another's: not even two that come in the same instant. */
  readonly isExclusive?: boolean
  /** From the stored form to this version's, and back. Same object both ways when left out. */
  readonly convert?: {
    fromStored(object: KubeObject): KubeObject
    toStored(object: KubeObject): KubeObject
  }
  /**
   * For kinds whose versions somebody else converts, instead of `convert`: stored objects in this version's form, in
   * the same order and to be shared, and one object in the store's.
   *
   * @throws {StatusError} when nobody does.
   */
  readonly conversion?: {
    fromStored(objects: readonly KubeObject[]): Promise<KubeObject[]>
    toStored(object: KubeObject): Promise<KubeObject>
  }
  /** A label (DNS-1123 or, for services, DNS-1035), subdomain (default), a path segment name, or an IP address. */
  readonly nameRule?: 'ip-address' | 'label' | 'dns-1035-label' | 'subdomain' | 'path-segment'
  /** Fills in what the user left out; for create, update and patch alike, before admission. */
  setDefaults?(object: KubeObject): void
  /** Server-owned fields of a new object: phases, generated addresses. `status` of kinds with one is emptied before. */
  prepareForCreate?(object: KubeObject, request: ResourceRequest, all: AllOfKind): void
  /** What an update may not touch is put back here (for `status` updates, `request.subresource` is `status`). */
  prepareForUpdate?(object: KubeObject, old: KubeObject, request: ResourceRequest, all: AllOfKind): void
  /** Faults of a new object that take time to find; they come before those of {@link validate}. */
  examine?(object: KubeObject): Promise<Fault[]>
  /** Faults of a whole object, on create and on update. Metadata is checked by the registry. */
  validate?(object: KubeObject, request: ResourceRequest, all: AllOfKind): Fault[]
  /** Faults of the change: immutable fields. Runs in addition to {@link validate}. */
  validateUpdate?(object: KubeObject, old: KubeObject, request: ResourceRequest): Fault[]
  /** Does this update count as a change of the desired state? `metadata.generation` grows then. Absent: any change outside metadata and status, for kinds with `tracksGeneration`. */
  readonly tracksGeneration?: boolean
  /** Field selector values besides `metadata.name` and `metadata.namespace`; the keys decide which labels are supported. */
  readonly selectableFields?: Readonly<Record<string, (object: KubeObject) => string>>
  /** Name and Age when left out. */
  readonly columns?: readonly Column[]
  /** Order of the rows of a list's table; that of the list when left out. */
  tableOrder?(one: KubeObject, other: KubeObject): number
  /** Seconds of grace for a delete that names none; absent or 0: at once. */
  gracePeriodSeconds?(object: KubeObject, asked: number | undefined): number
  /** `Status` answers a delete of most kinds; some (pods, namespaces, ...) answer with the object. */
  readonly deleteReturnsObject?: boolean
  /** Default propagation; `background` for all but legacy batch kinds. */
  readonly defaultPropagation?: 'Background' | 'Orphan'
  /** Told who deletes without saying what becomes of the dependents. */
  readonly propagationWarning?: string
  /** Marks an object that a delete could not remove at once (a namespace's phase). */
  onDeleting?(object: KubeObject): void
  /** Beside `metadata.finalizers`: is there something that keeps a deleted object? (A namespace's `spec.finalizers`.) */
  isHeld?(object: KubeObject): boolean
  /** A PUT of an absent object creates it, as Kubernetes has it for a few kinds. */
  readonly createsOnUpdate?: boolean
  /** Updates must name the version they change (custom resources, as Kubernetes has it). */
  readonly updateNeedsVersion?: boolean
  /** Cluster-wide refusal to delete an object, e.g. namespace `default`. Throws a StatusError. */
  checkDelete?(object: KubeObject, request: ResourceRequest): void
}

/** A kind that is computed on create and never stored: reviews. */
export interface VirtualResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly namespaced: boolean
  readonly schema: Schema
  create(body: JsonObject, request: VirtualRequest): Promise<KubeObject>
}

/** A request to a {@link VirtualResource}. */
export type VirtualRequest = Omit<ResourceRequest, 'resource'>

/** A subresource with behaviour of its own (`pods/binding`, `serviceaccounts/token`, `namespaces/finalize`). */
export interface Subresource {
  readonly group: string
  /** Plural of the parent resource. */
  readonly parent: string
  readonly name: string
  /** What discovery shows: kind and group/version of the body. */
  readonly kind: string
  readonly bodyGroup?: string
  readonly bodyVersion?: string
  readonly namespaced: boolean
  /** Status of a successful create, 201 when left out. */
  readonly createStatus?: number
  create?(body: KubeObject, request: ResourceRequest): Promise<KubeObject>
  get?(request: ResourceRequest): Promise<KubeObject>
  update?(body: KubeObject, request: ResourceRequest): Promise<KubeObject>
}
