import { createHash } from 'node:crypto'
import type { KubeObject, ObjectMeta } from '../../../kube/index.ts'
import type { Fault } from '../faults.ts'
import type { ResourceRequest } from '../request.ts'
import type { AllOfKind, Column, ResourceDefinition } from '../resource.ts'
import { schemaFor } from '../schema/builtin.ts'

/** The objects of a kind as the hooks see them: the fields of `T`, with this program's own metadata. */
export type Of<T> = {
  -readonly [Field in keyof Omit<T, 'metadata' | 'apiVersion' | 'kind'>]: T[Field]
} & {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

export interface ColumnOf<T> extends Omit<Column, 'cell'> {
  cell(object: Of<T>, now: number): string | number | boolean | null
}

type Hooks =
  | 'setDefaults'
  | 'prepareForCreate'
  | 'prepareForUpdate'
  | 'examine'
  | 'validate'
  | 'validateUpdate'
  | 'selectableFields'
  | 'columns'
  | 'tableOrder'
  | 'gracePeriodSeconds'
  | 'checkDelete'
  | 'onDeleting'
  | 'isHeld'

/** A {@link ResourceDefinition} whose hooks know the shape of their objects. */
export interface KindOf<T> extends Omit<ResourceDefinition, Hooks | 'schema' | 'singular' | 'hasStatus'> {
  readonly hasStatus?: boolean
  setDefaults?(object: Of<T>): void
  prepareForCreate?(object: Of<T>, request: ResourceRequest, all: AllOfKind): void
  prepareForUpdate?(object: Of<T>, old: Of<T>, request: ResourceRequest, all: AllOfKind): void
  examine?(object: Of<T>): Promise<Fault[]>
  /** Faults of a whole object. Not asked when only the status changes. */
  validate?(object: Of<T>, request: ResourceRequest, all: AllOfKind): Fault[]
  validateUpdate?(object: Of<T>, old: Of<T>, request: ResourceRequest): Fault[]
  /** Faults of a changed status; the rest of the object is what it was. */
  validateStatus?(object: Of<T>, old: Of<T>): Fault[]
  readonly selectableFields?: Readonly<Record<string, (object: Of<T>) => string>>
  readonly columns?: readonly ColumnOf<T>[]
  tableOrder?(one: Of<T>, other: Of<T>): number
  gracePeriodSeconds?(object: Of<T>, asked: number | undefined): number
  checkDelete?(object: Of<T>, request: ResourceRequest): void
  onDeleting?(object: Of<T>): void
  isHeld?(object: Of<T>): boolean
}

/** The entry of a built-in kind for the table: its schema, singular name and discovery hash are found here. */
export function define<T>(kind: KindOf<T>): ResourceDefinition {
  const { validate, validateUpdate, validateStatus, ...rest } = kind
  const { group, version } = kind
  const definition = {
    ...rest,
    singular: kind.kind.toLowerCase(),
    storageVersionHash: kind.storageVersionHash ?? storageVersionHash(group, version, kind.kind),
    schema: schemaFor(group, version, kind.kind),
    hasStatus: kind.hasStatus ?? false,
    validate: (object: Of<T>, request: ResourceRequest, all: AllOfKind): Fault[] =>
      request.subresource === 'status' ? [] : (validate?.(object, request, all) ?? []),
    validateUpdate: (object: Of<T>, old: Of<T>, request: ResourceRequest): Fault[] =>
      (request.subresource === 'status'
        ? validateStatus?.(object, old)
        : validateUpdate?.(object, old, request)) ?? [],
  }
  // Decoding holds every object against the kind's schema before any hook sees it, so it has the shape of T.
  return definition as unknown as ResourceDefinition
}

/** Discovery's hash of the version in which a kind is stored. */
export function storageVersionHash(group: string, version: string, kind: string): string {
  const digest = createHash('sha256').update(`${group}/${version}/${kind}`).digest()
  return digest.subarray(0, 8).toString('base64')
}

/** The object as a plain {@link KubeObject}, for functions that look at any kind. */
export function plain<T>(object: Of<T>): KubeObject {
  return object as unknown as KubeObject
}
