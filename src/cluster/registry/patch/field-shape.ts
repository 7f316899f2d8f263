import { builtinSchemas, metadataSchema, referredName, type Schema } from '../schema/index.ts'
import type { Json } from '../../../kube/index.ts'

/** How a value is merged and owned (https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy). */
export type FieldShape =
  | { readonly is: 'scalar'; readonly type: 'string' | 'numeric' | 'boolean' | 'untyped' }
  | StructShape
  | { readonly is: 'map'; readonly value: FieldShape; readonly isAtomic: boolean }
  | ListShape
  /** No schema: objects are maps, lists are atomic, all by what the value is. */
  | { readonly is: 'deduced' }

export interface StructShape {
  readonly is: 'struct'
  readonly fields: ReadonlyMap<string, FieldOfStruct>
  /** Fields that no schema names, where they are allowed. */
  readonly rest: FieldShape | undefined
  readonly isAtomic: boolean
}

export interface ListShape {
  readonly is: 'list'
  readonly item: FieldShape
  readonly mode: 'atomic' | 'set' | 'map'
  readonly keys: readonly string[]
  readonly keyDefaults: Readonly<Record<string, Json>>
}

export interface FieldOfStruct {
  /** `f:name` */
  readonly element: string
  readonly shape: FieldShape
  /** Go writes it even when nobody has set it, so that setting something inside does not add it. */
  readonly isPresent: boolean
  /** Belongs to the server: never in any manager's set. */
  readonly isUntracked: boolean
}

/** What decides the shape of a kind. */
export interface ShapeSource {
  readonly schema: Schema
  readonly isCustom?: boolean
}

export const deduced: FieldShape = { is: 'deduced' }

const untyped: FieldShape = { is: 'scalar', type: 'untyped' }
const text: FieldShape = { is: 'scalar', type: 'string' }
const untrackedMetadata = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
])

// Compiled once per schema: following references for every write would cost more than the write's own bookkeeping.
const roots = new WeakMap<Schema, StructShape>()
const shapes = new WeakMap<Schema, FieldShape>()

/** The shape of a whole object. */
export function fieldShapeOf(source: ShapeSource): StructShape {
  const known = roots.get(source.schema)
  if (known) return known
  const schema = builtinSchemas.resolve(source.schema)
  const compiled = structOf(schema, source.isCustom === true)
  const fields = new Map(compiled.fields)
  for (const name of ['apiVersion', 'kind'])
    fields.set(name, { element: `f:${name}`, shape: text, isPresent: true, isUntracked: true })
  fields.set('metadata', {
    element: 'f:metadata',
    shape: metadataShape(),
    isPresent: true,
    isUntracked: false,
  })
  const root: StructShape = { ...compiled, fields, isAtomic: false }
  roots.set(source.schema, root)
  return root
}

let metadata: StructShape | undefined

function metadataShape(): StructShape {
  if (!metadata) {
    const compiled = structOf(metadataSchema(), false)
    const fields = new Map<string, FieldOfStruct>()
    for (const [name, field] of compiled.fields)
      fields.set(name, { ...field, isUntracked: untrackedMetadata.has(name) })
    metadata = { ...compiled, fields }
  }
  return metadata
}

function structOf(schema: Schema, isCustom: boolean): StructShape {
  const shape = compile(schema, isCustom)
  return shape.is === 'struct' ? shape : { is: 'struct', fields: new Map(), rest: deduced, isAtomic: false }
}

function compile(schema: Schema, isCustom: boolean): FieldShape {
  const name = referredName(schema)
  if (name !== undefined) {
    if (name.endsWith('.Quantity') || name.endsWith('.Time') || name.endsWith('.MicroTime')) return untyped
    if (/\.(?:FieldsV1|RawExtension|JSON)$/.test(name)) return { is: 'map', value: deduced, isAtomic: true }
    const resolved = compile(builtinSchemas.resolve(schema), isCustom)
    // A field may undo what its type says.
    const mapType = schema['x-kubernetes-map-type']
    return mapType && resolved.is === 'struct' ? { ...resolved, isAtomic: mapType === 'atomic' } : resolved
  }
  const known = shapes.get(schema)
  if (known) return known
  if (schema.properties || (schema.type === 'object' && typeof schema.additionalProperties !== 'object'))
    return compileStruct(schema, isCustom)
  const shape = compileOther(schema, isCustom)
  shapes.set(schema, shape)
  return shape
}

function compileStruct(schema: Schema, isCustom: boolean): StructShape {
  const fields = new Map<string, FieldOfStruct>()
  const keepsUnknown =
    schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  const shape: StructShape = {
    is: 'struct',
    fields,
    rest:
      typeof schema.additionalProperties === 'object'
        ? compile(schema.additionalProperties, isCustom)
        : keepsUnknown
          ? deduced
          : undefined,
    isAtomic: schema['x-kubernetes-map-type'] === 'atomic',
  }
  // Known before its fields are: a schema of schemas contains itself.
  shapes.set(schema, shape)
  const required = new Set(isCustom ? [] : schema.required)
  for (const [name, field] of Object.entries(schema.properties ?? {}))
    fields.set(name, {
      element: `f:${name}`,
      shape: compile(field, isCustom),
      isPresent: required.has(name) || field['x-go-value'] === true,
      isUntracked: false,
    })
  if (schema['x-kubernetes-embedded-resource']) addObjectFields(fields)
  return shape
}

function addObjectFields(fields: Map<string, FieldOfStruct>): void {
  for (const name of ['apiVersion', 'kind', 'metadata'])
    if (!fields.has(name))
      fields.set(name, {
        element: `f:${name}`,
        shape: name === 'metadata' ? structOf(metadataSchema(), false) : text,
        isPresent: false,
        isUntracked: false,
      })
}

function compileOther(schema: Schema, isCustom: boolean): FieldShape {
  if (schema['x-kubernetes-int-or-string']) return untyped
  switch (schema.type) {
    case 'array':
      return compileList(schema, isCustom)
    case 'object':
      return {
        is: 'map',
        value:
          typeof schema.additionalProperties === 'object'
            ? compile(schema.additionalProperties, isCustom)
            : deduced,
        isAtomic: schema['x-kubernetes-map-type'] === 'atomic',
      }
    case 'string':
      return text
    case 'boolean':
      return { is: 'scalar', type: 'boolean' }
    case 'integer':
    case 'number':
      return { is: 'scalar', type: 'numeric' }
    default:
      return deduced
  }
}

function compileList(schema: Schema, isCustom: boolean): FieldShape {
  const items = schema.items ?? {}
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort()
  const { properties } = builtinSchemas.resolve(items)
  const keyDefaults: Record<string, Json> = {}
  for (const key of keys) {
    const fallback = properties?.[key]?.default
    if (fallback !== undefined) keyDefaults[key] = fallback
  }
  return {
    is: 'list',
    item: compile(items, isCustom),
    mode: schema['x-kubernetes-list-type'] ?? 'atomic',
    keys,
    keyDefaults,
  }
}
