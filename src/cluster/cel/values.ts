import type { ValueSchema } from './schema.ts'
import { CelEvaluationError } from './errors.ts'
import {
  Duration,
  formatDuration,
  formatTimestamp,
  parseDate,
  parseDuration,
  parseTimestamp,
  Timestamp,
} from './time.ts'
import { unescapeField } from './names.ts'

/**
 * What expressions compute with. An `int` is a bigint, a `double` a number; lists and maps are either made by the
 * expression or views of JSON, whose numbers become ints where they are whole unless a schema says otherwise.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | UInt
  | Timestamp
  | Duration
  | Optional
  | TypeName
  | List
  | Fields
  | Opaque

export class UInt {
  readonly value: bigint
  constructor(value: bigint) {
    if (value < 0n || value > largestUInt) throw new CelEvaluationError('unsigned integer overflow')
    this.value = value
  }
}

export class TypeName {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value that may be absent. */
export class Optional {
  static readonly none = new Optional(undefined)
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

/** A value of a library: URLs, quantities, authorisation checks. */
export abstract class Opaque {
  abstract readonly kind: string
  abstract equals(other: Opaque): boolean
}

export abstract class List {
  abstract readonly length: number
  abstract at(index: number): Value
  /** A set, or a map by keys of its elements: the order of elements says nothing. */
  get isUnordered(): boolean {
    return false
  }
  /** What identifies an element of a list that is a map. */
  get keys(): readonly string[] | undefined {
    return undefined
  }
  *[Symbol.iterator](): Generator<Value> {
    for (let index = 0; index < this.length; index++) yield this.at(index)
  }
}

/** Keys with values: a map, or an object whose keys are fields. */
export abstract class Fields {
  abstract readonly size: number
  abstract get(key: Value): Value | undefined
  /** By the name an expression writes after a dot. */
  field(name: string): Value | undefined {
    return this.get(name)
  }
  abstract entries(): Iterable<readonly [Value, Value]>
}

const largestUInt = 2n ** 64n - 1n
const largestInt = 2n ** 63n - 1n
const smallestInt = -(2n ** 63n)

export class ValueList extends List {
  readonly #items: readonly Value[]
  constructor(items: readonly Value[]) {
    super()
    this.#items = items
  }
  get length(): number {
    return this.#items.length
  }
  at(index: number): Value {
    return this.#items[index] ?? null
  }
}

class JsonList extends List {
  readonly #items: readonly unknown[]
  readonly #schema: ValueSchema | undefined
  constructor(items: readonly unknown[], schema: ValueSchema | undefined) {
    super()
    this.#items = items
    this.#schema = schema
  }
  get length(): number {
    return this.#items.length
  }
  at(index: number): Value {
    return fromJson(this.#items[index], this.#schema?.items)
  }
  override get isUnordered(): boolean {
    const kind = this.#schema?.['x-kubernetes-list-type']
    return kind === 'set' || kind === 'map'
  }
  override get keys(): readonly string[] | undefined {
    return this.#schema?.['x-kubernetes-list-type'] === 'map'
      ? (this.#schema['x-kubernetes-list-map-keys'] ?? [])
      : undefined
  }
}

/** Ints, uints and doubles of the same number are one key. */
function keyText(key: Value): string | undefined {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'bigint') return `n${key}`
  if (key instanceof UInt) return `n${key.value}`
  if (typeof key === 'boolean') return `b${key}`
  if (typeof key === 'number') return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`
  return undefined
}

export class ValueMap extends Fields {
  readonly #entries = new Map<string, readonly [Value, Value]>()
  constructor(entries: Iterable<readonly [Value, Value]>) {
    super()
    for (const [key, value] of entries) {
      const text = keyText(key)
      if (text === undefined || typeof key === 'number') throw new CelEvaluationError('unsupported key type')
      if (this.#entries.has(text))
        throw new CelEvaluationError(`insert failed: key ${text.slice(1)} already exists`)
      this.#entries.set(text, [key, value])
    }
  }
  get size(): number {
    return this.#entries.size
  }
  get(key: Value): Value | undefined {
    const text = keyText(key)
    return text === undefined ? undefined : this.#entries.get(text)?.[1]
  }
  entries(): Iterable<readonly [Value, Value]> {
    return this.#entries.values()
  }
}

class JsonFields extends Fields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #schema: ValueSchema | undefined
  constructor(fields: Readonly<Record<string, unknown>>, schema: ValueSchema | undefined) {
    super()
    this.#fields = fields
    this.#schema = schema
  }
  get size(): number {
    return Object.keys(this.#fields).length
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#fields, key)) return undefined
    const value = this.#fields[key]
    return value === undefined ? undefined : fromJson(value, schemaOfField(this.#schema, key))
  }
  override field(name: string): Value | undefined {
    return this.get(name) ?? (name.includes('__') ? this.get(unescapeField(name)) : this.get(name))
  }
  *entries(): Generator<readonly [Value, Value]> {
    for (const key of Object.keys(this.#fields)) {
      const value = this.get(key)
      if (value !== undefined) yield [key, value]
    }
  }
}

/** Fields that are computed when they are asked for, once. */
export class LazyFields extends Fields {
  readonly #makers: ReadonlyMap<string, () => Value>
  readonly #made = new Map<string, Value>()
  constructor(makers: ReadonlyMap<string, () => Value>) {
    super()
    this.#makers = makers
  }
  get size(): number {
    return this.#makers.size
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined
    const made = this.#made.get(key)
    if (made !== undefined) return made
    const value = this.#makers.get(key)?.()
    if (value !== undefined) this.#made.set(key, value)
    return value
  }
  *entries(): Generator<readonly [Value, Value]> {
    for (const key of this.#makers.keys()) yield [key, this.get(key) ?? null]
  }
}

/** The schema of one field of an object, as far as there is one. */
function schemaOfField(schema: ValueSchema | undefined, name: string): ValueSchema | undefined {
  if (schema === undefined) return undefined
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name))
    return schema.properties[name]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/** JSON as a value. A view: nothing is copied, and the JSON must not change while it is used. */
export function fromJson(json: unknown, schema?: ValueSchema): Value {
  switch (typeof json) {
    case 'string':
      return schema?.format === undefined ? json : formatted(json, schema.format)
    case 'number':
      return schema?.type === 'number' || !Number.isSafeInteger(json) ? json : BigInt(json)
    case 'boolean':
    case 'bigint':
      return json
    case 'object':
      if (json === null) return null
      return Array.isArray(json)
        ? new JsonList(json, schema)
        : new JsonFields(json as Readonly<Record<string, unknown>>, schema)
    default:
      return null
  }
}

function formatted(text: string, format: string): Value {
  switch (format) {
    case 'date-time':
      return parseTimestamp(text) ?? text
    case 'date':
      return parseDate(text) ?? text
    case 'duration':
      return parseDuration(text) ?? text
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'))
    default:
      return text
  }
}

/** What kind a value is of, by the name that error messages use. */
export function kindOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    default:
  }
  if (value === null) return 'null'
  if (value instanceof List) return 'list'
  if (value instanceof Fields) return 'map'
  if (value instanceof UInt) return 'uint'
  if (value instanceof Timestamp) return 'timestamp'
  if (value instanceof Duration) return 'duration'
  if (value instanceof Optional) return 'optional'
  if (value instanceof TypeName) return 'type'
  if (value instanceof Uint8Array) return 'bytes'
  return value.kind
}

/** @throws {CelEvaluationError} when a result does not fit 64 bits. */
export function checkedInt(value: bigint): bigint {
  if (value < smallestInt || value > largestInt) throw new CelEvaluationError('integer overflow')
  return value
}

/** A plain value for people; of a structure only what it is: there is no telling how large it is. */
export function displayed(value: Value): string {
  if (typeof value === 'string') return value
  if (
    value === null ||
    typeof value === 'boolean' ||
    typeof value === 'bigint' ||
    typeof value === 'number'
  ) {
    return String(value)
  }
  if (value instanceof UInt) return String(value.value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  return value instanceof TypeName ? value.name : kindOf(value)
}
