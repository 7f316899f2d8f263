import type { ValueSchema } from './schema.ts'
import { unescapeField } from './names.ts'

/** What is known about a value before there is one. */
export interface Type {
  readonly kind: string
  /** Elements of a list, values of a map, content of an optional. */
  readonly of?: Type
  readonly key?: Type
  /** Most characters, elements or entries, as far as that is known. */
  readonly max?: number
  /** Fields of an object; absent for objects whose fields are not known. */
  readonly fields?: (name: string) => Type | undefined
}

export const dyn: Type = { kind: 'dyn' }
export const int: Type = { kind: 'int' }
export const uint: Type = { kind: 'uint' }
export const double: Type = { kind: 'double' }
export const bool: Type = { kind: 'bool' }
export const string: Type = { kind: 'string' }
export const bytes: Type = { kind: 'bytes' }
export const timestamp: Type = { kind: 'timestamp' }
export const duration: Type = { kind: 'duration' }
export const typeType: Type = { kind: 'type' }

export const listOf = (of: Type): Type => ({ kind: 'list', of })
export const mapOf = (key: Type, of: Type): Type => ({ kind: 'map', key, of })
export const optionalOf = (of: Type): Type => ({ kind: 'optional', of })
export const opaque = (kind: string): Type => ({ kind })

/** What an optional holds; any other type as it is. */
export function unwrapped(type: Type): Type {
  return type.kind === 'optional' ? (type.of ?? dyn) : type
}

/** An object with exactly these fields. */
export function objectOf(fields: Readonly<Record<string, Type>>): Type {
  return {
    kind: 'object',
    fields: (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined),
  }
}

const metadata = objectOf({ name: string, generateName: string })

/** The type of values of a schema; the root of a custom resource always has its kind and name. */
export function typeOfSchema(
  schema: ValueSchema,
  { isRoot = false }: { readonly isRoot?: boolean } = {},
): Type {
  if (schema['x-kubernetes-int-or-string']) return dyn
  switch (schema.type) {
    case 'boolean':
      return bool
    case 'integer':
      return int
    case 'number':
      return double
    case 'string':
      return typeOfString(schema)
    case 'array': {
      const items = schema.items ?? {}
      return { ...listOf(typeOfSchema(items)), max: schema.maxItems ?? mostElements(smallestText(items) + 1) }
    }
    case 'object':
      return typeOfObject(schema, isRoot || schema['x-kubernetes-embedded-resource'] === true)
    default:
      return dyn
  }
}

function typeOfString(schema: ValueSchema): Type {
  switch (schema.format) {
    case 'date':
    case 'date-time':
      return timestamp
    case 'duration':
      return duration
    case 'byte':
      return { ...bytes, max: schema.maxLength ?? longestRequest }
    default: {
      const words = schema.enum?.map((word) => String(word).length)
      return { ...string, max: words ? Math.max(...words, 0) : (schema.maxLength ?? longestRequest) }
    }
  }
}

// Nothing in an object can be larger than the request that brings it.
const longestRequest = 3 * 1024 * 1024

function mostElements(smallest: number): number {
  return Math.floor(longestRequest / smallest)
}

/** Characters of the shortest JSON text of a value. */
function smallestText(schema: ValueSchema): number {
  switch (schema.type) {
    case 'boolean':
      return 4
    case 'integer':
    case 'number':
      return 1
    case 'object': {
      let size = 2
      for (const name of schema.required ?? []) {
        const property = schema.properties?.[name]
        if (property !== undefined) size += name.length + 4 + smallestText(property)
      }
      return size
    }
    default:
      return 2
  }
}

function typeOfObject(schema: ValueSchema, isResource: boolean): Type {
  if (typeof schema.additionalProperties === 'object') {
    const values = schema.additionalProperties
    const max = schema.maxProperties ?? mostElements(smallestText(values) + 6)
    return { ...mapOf(string, typeOfSchema(values)), max }
  }
  const known: Record<string, Type> = isResource ? { apiVersion: string, kind: string, metadata } : {}
  return {
    kind: 'object',
    fields: (written) => {
      for (const name of [written, unescapeField(written)]) {
        if (Object.hasOwn(known, name)) return known[name]
        const property =
          schema.properties !== undefined && Object.hasOwn(schema.properties, name)
            ? schema.properties[name]
            : undefined
        if (property !== undefined) return typeOfSchema(property)
      }
      return undefined
    },
  }
}

/** As cel-go prints it. */
export function nameOfType(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list(${nameOfType(type.of ?? dyn)})`
    case 'map':
      return `map(${nameOfType(type.key ?? dyn)}, ${nameOfType(type.of ?? dyn)})`
    case 'optional':
      return `optional_type(${nameOfType(type.of ?? dyn)})`
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    default:
      return type.kind
  }
}

/** May a value of `given` stand where `wanted` is asked for? Unknown types may. */
export function fits(given: Type, wanted: string): boolean {
  if (given.kind === 'dyn' || wanted === 'dyn' || given.kind === wanted) return true
  return wanted === 'map' && given.kind === 'object'
}

/** {@link fits}, for what is inside lists and maps as well. */
export function fitsWhole(given: Type, wanted: Type): boolean {
  if (!fits(given, wanted.kind)) return false
  return given.of === undefined || wanted.of === undefined || fitsWhole(given.of, wanted.of)
}

const plainKinds = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map'])

/** May a value of one type stand beside one of the other in a list or a map? Kubernetes takes no mixtures. */
export function mingles(first: Type, next: Type): boolean {
  if (first.kind === 'dyn' || next.kind === 'dyn') return true
  if (first.kind !== next.kind) {
    // Nothing is like null but what can be null.
    if (first.kind === 'null') return !plainKinds.has(next.kind)
    return next.kind === 'null' && !plainKinds.has(first.kind)
  }
  const isAlike = (a: Type | undefined, b: Type | undefined): boolean =>
    a === undefined || b === undefined || mingles(a, b)
  return isAlike(first.of, next.of) && isAlike(first.key, next.key)
}

/** One type for both, `dyn` when they differ. */
export function commonType(a: Type, b: Type): Type {
  if (a === b) return a
  if (a.kind !== b.kind || a.kind === 'object') return dyn
  const max = a.max === undefined || b.max === undefined ? undefined : Math.max(a.max, b.max)
  return {
    kind: a.kind,
    ...(max !== undefined && { max }),
    ...((a.of !== undefined || b.of !== undefined) && { of: commonType(a.of ?? dyn, b.of ?? dyn) }),
    ...(a.kind === 'map' && { key: commonType(a.key ?? dyn, b.key ?? dyn) }),
  }
}
