import { unescapeField } from './names.ts'
import type { ValueSchema } from './schema.ts'
import { parseDate, parseDuration, parseTimestamp } from './time.ts'
import { Fields, List, type Value } from './values.ts'

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
    const value = this.get(name)
    return value === undefined && name.includes('__') ? this.get(unescapeField(name)) : value
  }
  *entries(): Generator<readonly [Value, Value]> {
    for (const key of Object.keys(this.#fields)) {
      const value = this.get(key)
      if (value !== undefined) yield [key, value]
    }
  }
}

/** The schema of one field of an object, as far as there is one. */
function schemaOfField(schema: ValueSchema | undefined, name: string): ValueSchema | undefined {
  if (schema === undefined) return undefined
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name))
    return schema.properties[name]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}
