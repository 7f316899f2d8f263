import { type Json, type JsonObject, exactJsonText } from '../../../kube/index.ts'
import {
  deduced,
  type FieldOfStruct,
  type FieldShape,
  type ListShape,
  type StructShape,
} from './field-shape.ts'
import { type FieldTree, isEmpty, noFields, type OpenTree, self } from './field-tree.ts'
import { isEqual, isObject, own } from './put.ts'

/** What one value has that another had not, or had otherwise, and what it has no more. */
export interface Delta {
  /** Added and modified fields. */
  readonly changed: FieldTree
  readonly removed: FieldTree
}

const same: Delta = { changed: noFields, removed: noFields }
const nothing: JsonObject = Object.freeze({})

export function isLeaf(shape: FieldShape): boolean {
  return (
    shape.is === 'scalar' ||
    (shape.is === 'list' ? shape.mode === 'atomic' : shape.is !== 'deduced' && shape.isAtomic)
  )
}

/** The element of a list item; undefined when it lacks a key that has no default. */
export function elementOf(item: Json, shape: ListShape): string | undefined {
  if (shape.mode === 'set') return `v:${exactJsonText(item)}`
  if (!isObject(item)) return undefined
  const [only] = shape.keys
  if (shape.keys.length === 1 && only !== undefined && typeof item[only] === 'string')
    return `k:{"${only}":${JSON.stringify(item[only])}}`
  const pairs: string[] = []
  for (const key of shape.keys) {
    const value = own(item, key) ?? shape.keyDefaults[key]
    if (value !== undefined) pairs.push(`${JSON.stringify(key)}:${exactJsonText(value)}`)
  }
  return pairs.length === 0 ? undefined : `k:{${pairs.join()}}`
}

/** Field, its shape and whether Go always has it, for one member of an object. */
function fieldOf(shape: FieldShape, key: string): FieldOfStruct | undefined {
  if (shape.is === 'struct') {
    const field = shape.fields.get(key)
    if (field) return field
    return shape.rest && { element: `f:${key}`, shape: shape.rest, isPresent: false, isUntracked: false }
  }
  const inner = shape.is === 'map' ? shape.value : deduced
  return { element: `f:${key}`, shape: inner, isPresent: false, isUntracked: false }
}

/**
 * The fields that an object names, as an applier owns them: leaves, list items, keys of maps; a struct only when it is
 * empty.
 */
export function ownedFields(object: JsonObject, shape: StructShape): FieldTree {
  return ownedBelow(object, shape)
}

function ownedBelow(object: JsonObject, shape: FieldShape): FieldTree {
  const tree: OpenTree = {}
  for (const key of Object.keys(object)) {
    const value = object[key]
    const field = fieldOf(shape, key)
    if (!field || field.isUntracked || value === undefined) continue
    const isKey = shape.is !== 'struct' || !shape.fields.has(key)
    const node = ownedNode(value, field.shape, isKey)
    if (node) tree[field.element] = node
  }
  return tree
}

function ownedNode(value: Json, shape: FieldShape, isMember: boolean): FieldTree | undefined {
  if (value === null || isLeaf(shape)) return self
  if (isObject(value)) {
    const inside = ownedBelow(value, shape)
    // Nothing in it, or nothing but what the server owns: an empty object is owned as such.
    if (isEmpty(inside)) return isMember || Object.keys(value).length === 0 ? self : undefined
    return isMember ? { '.': self, ...inside } : inside
  }
  if (!Array.isArray(value) || shape.is !== 'list') return self
  const tree: OpenTree = {}
  for (const item of value) {
    const element = elementOf(item, shape)
    if (element !== undefined) tree[element] = ownedNode(item, shape.item, true) ?? self
  }
  if (isEmpty(tree)) return isMember ? self : undefined
  return isMember ? { '.': self, ...tree } : tree
}

/** Everything that a value brings with it when there was none before: every node is a member. */
function wholeNode(value: Json, shape: FieldShape): FieldTree {
  if (value === null || isLeaf(shape)) return self
  if (isObject(value)) {
    const tree: OpenTree = { '.': self }
    let isBare = true
    for (const key of Object.keys(value)) {
      const field = fieldOf(shape, key)
      const inner = value[key]
      if (!field || field.isUntracked || inner === undefined) continue
      tree[field.element] = wholeNode(inner, field.shape)
      isBare = false
    }
    return isBare ? self : tree
  }
  if (!Array.isArray(value) || shape.is !== 'list' || value.length === 0) return self
  const tree: OpenTree = { '.': self }
  for (const item of value) {
    const element = elementOf(item, shape)
    if (element !== undefined) tree[element] = wholeNode(item, shape.item)
  }
  return tree
}

/** The fields of a new object, as its creator owns them. */
export function createdFields(object: JsonObject, shape: StructShape): FieldTree {
  return createdBelow(object, shape)
}

function createdBelow(object: JsonObject, shape: StructShape): FieldTree {
  const tree: OpenTree = {}
  for (const key of Object.keys(object)) {
    const value = object[key]
    if (value === undefined) continue
    const field = fieldOf(shape, key)
    if (!field || field.isUntracked) continue
    const node = field.isPresent ? presentNode(value, field.shape) : wholeNode(value, field.shape)
    if (node) tree[field.element] = node
  }
  return tree
}

/** What a value adds to a field that is there already, empty. */
function presentNode(value: Json, shape: FieldShape): FieldTree | undefined {
  if (isLeaf(shape)) return self
  if (isObject(value)) {
    const inside = shape.is === 'struct' ? createdBelow(value, shape) : wholeNode(value, shape)
    if (isEmpty(inside)) return undefined
    if (inside['.'] === undefined) return inside
    const { '.': _self, ...rest } = inside
    return rest
  }
  if (!Array.isArray(value)) return self
  const { '.': _self, ...items } = wholeNode(value, shape)
  return isEmpty(items) ? undefined : items
}

/** What an update has done to an object. Identical parts are passed by; untracked metadata does not count. */
export function compareFields(old: JsonObject, next: JsonObject, shape: StructShape): Delta {
  return old === next ? same : compareObjects(old, next, shape)
}

function compareObjects(old: JsonObject, next: JsonObject, shape: FieldShape): Delta {
  let changed: OpenTree | undefined
  let removed: OpenTree | undefined
  for (const key of Object.keys(next)) {
    const after = next[key]
    const before = Object.hasOwn(old, key) ? old[key] : undefined
    if (after === undefined || after === before) continue
    const field = fieldOf(shape, key)
    if (!field || field.isUntracked) continue
    if (before === undefined) {
      const node = field.isPresent ? presentNode(after, field.shape) : wholeNode(after, field.shape)
      if (node) (changed ??= {})[field.element] = node
      continue
    }
    const delta = compareValues(before, after, field.shape)
    if (delta === same) continue
    if (delta.changed !== noFields) (changed ??= {})[field.element] = delta.changed
    if (delta.removed !== noFields) (removed ??= {})[field.element] = delta.removed
  }
  for (const key of Object.keys(old)) {
    const before = old[key]
    if (before === undefined || (Object.hasOwn(next, key) && next[key] !== undefined)) continue
    const field = fieldOf(shape, key)
    if (!field || field.isUntracked) continue
    const node = field.isPresent ? presentNode(before, field.shape) : wholeNode(before, field.shape)
    if (node) (removed ??= {})[field.element] = node
  }
  return changed || removed ? { changed: changed ?? noFields, removed: removed ?? noFields } : same
}

const modified: Delta = { changed: self, removed: noFields }

function compareValues(before: Json, after: Json, shape: FieldShape): Delta {
  if (!isLeaf(shape)) {
    if (isObject(before) && isObject(after)) return compareObjects(before, after, shape)
    // A null is an empty value of whatever the other is.
    if (isObject(after) && before === null) return compareObjects(nothing, after, shape)
    if (isObject(before) && after === null) return compareObjects(before, nothing, shape)
    if (shape.is === 'list') {
      if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, shape)
      if (Array.isArray(after) && before === null) return compareLists([], after, shape)
      if (Array.isArray(before) && after === null) return compareLists(before, [], shape)
    }
  }
  return isEqual(before, after) ? same : modified
}

function compareLists(before: Json[], after: Json[], shape: ListShape): Delta {
  const earlier = new Map<string, Json>()
  for (const item of before) {
    const element = elementOf(item, shape)
    if (element !== undefined) earlier.set(element, item)
  }
  let changed: OpenTree | undefined
  let removed: OpenTree | undefined
  for (const item of after) {
    const element = elementOf(item, shape)
    if (element === undefined) continue
    const was = earlier.get(element)
    if (was === undefined) {
      ;(changed ??= {})[element] = wholeNode(item, shape.item)
      continue
    }
    earlier.delete(element)
    if (was === item) continue
    const delta = compareValues(was, item, shape.item)
    if (delta === same) continue
    if (delta.changed !== noFields) (changed ??= {})[element] = delta.changed
    if (delta.removed !== noFields) (removed ??= {})[element] = delta.removed
  }
  for (const [element, item] of earlier) (removed ??= {})[element] = wholeNode(item, shape.item)
  return changed || removed ? { changed: changed ?? noFields, removed: removed ?? noFields } : same
}
