/**
 * Strategic merge patch (https://github.com/kubernetes/design-proposals-archive/blob/main/cli/preserve-order-in-strategic-merge-patch.md):
 * a merge patch in which the schema tells which lists are merged, and directives in the patch say the rest.
 */
import { badRequest, type Json, type JsonObject } from '../../../kube/index.ts'
import { plainFailure } from '../plain-failure.ts'
import { builtinSchemas, type Schema } from '../schema/index.ts'
import { goFormat } from './go-format.ts'
import { copy, isObject, own, put } from './put.ts'
import { unprocessable } from './refusals.ts'
import { inOrderOf } from './strategic-order.ts'

const patchDirective = '$patch'
const retainKeys = '$retainKeys'
const orderPrefix = '$setElementOrder/'
const deletePrefix = '$deleteFromPrimitiveList/'

/**
 * Applies a strategic merge patch. Neither argument changes.
 *
 * @throws {StatusError} `BadRequest` or `Invalid` for directives of a wrong form, and a failure without a reason for list
 *   items that lack their merge key.
 */
export function strategicPatch(target: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  return mergeMaps(copy(target), copy(patch), builtinSchemas.resolve(schema))
}

interface FieldPlan {
  /** Of the object, or of the items of the list. */
  readonly schema: Schema
  readonly strategy: string
  readonly mergeKey: string
}

/** How a field is patched. */
function planFor(schema: Schema, field: string): FieldPlan {
  const { properties, additionalProperties } = schema
  const inner =
    properties && Object.hasOwn(properties, field)
      ? properties[field]
      : typeof additionalProperties === 'object'
        ? additionalProperties
        : undefined
  const strategies = inner?.['x-kubernetes-patch-strategy']?.split(',') ?? []
  return {
    schema: inner ? builtinSchemas.resolve(inner.items ?? inner) : {},
    strategy: strategies.find((strategy) => strategy !== 'retainKeys') ?? '',
    mergeKey: inner?.['x-kubernetes-patch-merge-key'] ?? '',
  }
}

function mergeMaps(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const directive = own(patch, patchDirective)
  if (directive !== undefined) {
    const { [patchDirective]: _directive, ...rest } = patch
    if (directive === 'replace') return rest
    if (directive === 'delete') return {}
    throw plainFailure(`unknown patch type: ${goFormat(directive)} in map: ${goFormat(patch)}`)
  }
  retainOnly(original, patch)
  mergeOrdered(original, patch, schema)
  for (const key of Object.keys(patch)) mergeField(original, key, patch[key] ?? null, schema)
  return original
}

function mergeField(original: JsonObject, key: string, value: Json, schema: Schema): void {
  const isDeletion = key.startsWith(deletePrefix)
  const field = isDeletion ? key.slice(deletePrefix.length) : key
  if (value === null) {
    delete original[field]
    return
  }
  const before = own(original, field)
  if (before === undefined || kind(before) !== kind(value)) {
    if (!isDeletion) put(original, field, plain(value))
    return
  }
  const plan = planFor(schema, field)
  if (isObject(before) && isObject(value))
    put(original, field, plan.strategy === 'replace' ? value : mergeMaps(before, value, plan.schema))
  else if (Array.isArray(before) && Array.isArray(value))
    put(original, field, mergeLists(before, value, plan, isDeletion))
  else put(original, field, value)
}

function kind(value: Json): string {
  return Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value
}

/** `$retainKeys`: drops what it does not name. */
function retainOnly(original: JsonObject, patch: JsonObject): void {
  const listed = own(patch, retainKeys)
  if (listed === undefined) return
  delete patch[retainKeys]
  if (!Array.isArray(listed)) throw badRequest('invalid patch format of retainKeys')
  const names = new Set(listed)
  for (const key of Object.keys(patch)) {
    const isDirective = key.startsWith(deletePrefix) || key.startsWith(orderPrefix)
    if (patch[key] !== null && !isDirective && !names.has(key)) throw unprocessable()
  }
  for (const key of Object.keys(original)) if (!names.has(key)) delete original[key]
}

/** `$setElementOrder/<list>`: merges the list it speaks of and puts it in that order. */
function mergeOrdered(original: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(orderPrefix)) continue
    const wanted = patch[key]
    delete patch[key]
    if (!Array.isArray(wanted)) throw badRequest('invalid patch format of setElementOrder list')
    const field = key.slice(orderPrefix.length)
    const before = own(original, field)
    const change = own(patch, field)
    for (const list of [before, change])
      if (list !== undefined && list !== null && !Array.isArray(list))
        throw badRequest('invalid patch format of setElementOrder list')
    const live = Array.isArray(before) ? before : undefined
    const changes = Array.isArray(change) ? change : undefined
    const plan = planFor(schema, field)
    if (changes) checkOrder(changes, wanted, plan.mergeKey)
    // A null patch deletes the list: the ordinary merge does so.
    if (change === null || (!live && !changes)) continue
    const merged =
      live && changes ? mergeLists(live, changes, plan, false) : (live ?? (plain(changes ?? []) as Json[]))
    put(
      original,
      field,
      inOrderOf(merged, { order: wanted, serverOrder: live ?? [], mergeKey: plan.mergeKey }),
    )
    delete patch[field]
  }
}

/** Whatever the patch adds must stand in the order list, in that order. */
function checkOrder(changes: readonly Json[], wanted: readonly Json[], mergeKey: string): void {
  let at = 0
  for (const item of changes) {
    if (isObject(item) && own(item, patchDirective) === 'delete') continue
    const found = wanted.findIndex((each, index) => index >= at && isSameItem(each, item, mergeKey))
    if (found < 0)
      throw plainFailure(
        `The order in patch list:\n${goFormat([...changes])}\n doesn't match $setElementOrder list:\n${goFormat([...wanted])}\n`,
      )
    at = found + 1
  }
}

function isSameItem(a: Json, b: Json, mergeKey: string): boolean {
  return isObject(a) && isObject(b) ? own(a, mergeKey) === own(b, mergeKey) : a === b
}

function mergeLists(original: Json[], patch: Json[], plan: FieldPlan, isDeletion: boolean): Json[] {
  if (plan.strategy !== 'merge' && !isDeletion) return patch
  if (original.length === 0 && patch.length === 0) return original
  const { mergeKey } = plan
  if (!isListOfMaps(original, patch)) {
    if (isDeletion) return original.filter((item) => !patch.includes(item))
    return inOrderOf([...new Set([...original, ...patch])], {
      order: patch,
      serverOrder: original,
      mergeKey: '',
    })
  }
  if (mergeKey === '') throw plainFailure('cannot merge lists without merge key for slice')
  const { live, changes } = applyItemDirectives(original, patch, mergeKey)
  for (const change of changes) {
    const at = live.findIndex((item) => isObject(item) && own(item, mergeKey) === own(change, mergeKey))
    const item = live[at]
    if (isObject(item)) live[at] = mergeMaps(item, change, plan.schema)
    else live.push(plain(change))
  }
  return inOrderOf(live, { order: changes, serverOrder: original, mergeKey })
}

/** Lists are of objects or of scalars, never mixed and never of lists. */
function isListOfMaps(original: readonly Json[], patch: readonly Json[]): boolean {
  let maps = 0
  for (const item of [...original, ...patch]) {
    if (Array.isArray(item)) throw unprocessable()
    if (isObject(item)) maps++
  }
  if (maps !== 0 && maps !== original.length + patch.length)
    throw plainFailure('list element types are not identical')
  return maps > 0
}

/** Carries out `$patch` in list items: deletes, or replaces the whole list by the other items. */
function applyItemDirectives(
  original: readonly Json[],
  patch: readonly Json[],
  mergeKey: string,
): { live: Json[]; changes: JsonObject[] } {
  let live = [...original]
  const changes: JsonObject[] = []
  let isReplaced = false
  for (const item of patch) {
    if (!isObject(item)) continue
    const directive = own(item, patchDirective)
    const isKeyed = own(item, mergeKey) !== undefined
    if (directive === 'replace') {
      isReplaced = true
      continue
    }
    if (directive !== undefined && directive !== 'delete') {
      if (directive === 'merge') throw plainFailure('merging lists cannot yet be specified in the patch')
      throw plainFailure(`unknown patch type: ${goFormat(directive)} in map: ${goFormat(item)}`)
    }
    if (!isKeyed)
      throw plainFailure(`map: ${goFormat(item)} does not contain declared merge key: ${mergeKey}`)
    if (directive === undefined) changes.push(item)
    else live = live.filter((each) => !isObject(each) || own(each, mergeKey) !== own(item, mergeKey))
  }
  return isReplaced ? { live: changes, changes: [] } : { live, changes }
}

/** A value that is new to the object: nulls mean nothing there, and directives have nothing to direct. */
function plain(value: Json): Json {
  if (Array.isArray(value))
    return value
      .filter((item) => !(isObject(item) && own(item, patchDirective) !== undefined))
      .map((item) => plain(item))
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const key of Object.keys(value)) {
    const inner = value[key]
    const isDirective =
      key === patchDirective ||
      key === retainKeys ||
      key.startsWith(orderPrefix) ||
      key.startsWith(deletePrefix)
    if (!isDirective && inner !== null && inner !== undefined) put(result, key, plain(inner))
  }
  return result
}
