import { internalError, type Json, type JsonObject, type KubeObject } from '../../../kube/index.ts'
import { DecodingError, strictFaults, type Target } from '../schema/index.ts'
import { type FieldShape, fieldShapeOf } from './field-shape.ts'
import { applyOperation } from './json-patch.ts'
import { apiVersionOf, asJson, type Writing } from './managed-fields.ts'
import { copy, isObject } from './put.ts'
import { shaped } from './shaped.ts'
import { listed, typedFaults } from './typed-check.ts'
import { innerShape, mergeTyped } from './typed-merge.ts'

/** A change of an object on its way in that cannot be carried out; the message says why, as Kubernetes does. */
export class MutationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MutationError'
  }
}

type Resource = Target & Writing['resource']

/**
 * Merges a configuration into an object as server-side apply does, with nobody owning what it sets. Atomic lists, maps
 * and structs may not be set so: what the configuration leaves out of them would be lost.
 *
 * @returns the changed object, in the form of its kind, without defaults.
 * @throws {MutationError}
 */
export function mergeConfiguration(object: KubeObject, config: JsonObject, resource: Resource): KubeObject {
  const shape = fieldShapeOf(resource)
  const typed = { ...config, apiVersion: apiVersionOf({ resource }), kind: resource.kind }
  const faults = typedFaults(typed, shape)
  if (faults.length > 0) {
    throw new MutationError(
      `error applying patch: failed to convert patch object to typed object: ${listed(faults)}`,
    )
  }
  const atomics = atomicsIn(typed, shape, '')
  if (atomics.length > 0) {
    throw new MutationError(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    )
  }
  // The merge keeps parts of both; decoding drops fields in place.
  const merged = copy(mergeTyped(asJson(object), typed, shape))
  try {
    return shaped(isObject(merged) ? merged : {}, { resource }, 'map').value as unknown as KubeObject
  } catch (error) {
    if (error instanceof DecodingError) throw new MutationError(error.message, { cause: error })
    throw error
  }
}

/** Paths of what a configuration sets that has one owner as a whole. */
function atomicsIn(value: Json, shape: FieldShape, path: string): string[] {
  if (Array.isArray(value)) {
    const isAtomic = shape.is === 'deduced' || (shape.is === 'list' && shape.mode === 'atomic')
    const inner = value.flatMap((item, index) =>
      shape.is === 'list' ? atomicsIn(item, shape.item, `${path}[${index}]`) : [],
    )
    return isAtomic ? [path, ...inner] : inner
  }
  if (!isObject(value)) return []
  const found = (shape.is === 'struct' || shape.is === 'map') && shape.isAtomic ? [path] : []
  if (shape.is !== 'struct') return found
  for (const key of Object.keys(value)) {
    if (!shape.fields.has(key)) continue
    found.push(...atomicsIn(value[key] ?? null, innerShape(shape, key), `${path}.${key}`))
  }
  return found
}

/**
 * Applies a JSON patch to an object. A test that fails leaves it as it is, and is nobody's fault.
 *
 * @returns the changed object, in the form of its kind, without defaults; the same object when a test fails.
 * @throws {MutationError} when an operation does not fit.
 * @throws {StatusError} `InternalError` when the outcome is no object of its kind.
 */
export function patchOperations(
  object: KubeObject,
  operations: readonly JsonObject[],
  resource: Resource,
): KubeObject {
  let document: Json = copy(asJson(object))
  for (const [index, operation] of operations.entries()) {
    try {
      document = applyOperation(document, operation, index)
    } catch (error) {
      if (error instanceof Error && error.name === 'TEST_OPERATION_FAILED') return object
      const { op, path } = operation
      throw new MutationError(
        `JSONPath: ${String(op)} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`,
        { cause: error },
      )
    }
  }
  if (!isObject(document)) throw internalError('the patch replaces the object by something else')
  try {
    const { value, unknown } = shaped(document, { resource }, 'json')
    // Custom objects have no fields that nobody knows: they have been dropped.
    const faults = resource.isCustom ? [] : strictFaults([], unknown)
    if (faults.length > 0) throw internalError(`strict decoding error: ${faults.join(', ')}`)
    return value as unknown as KubeObject
  } catch (error) {
    if (error instanceof DecodingError) throw internalError(error.message)
    throw error
  }
}
