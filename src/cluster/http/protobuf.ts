import { builtinSchemaNames, protobufFields, type Schema } from '../registry/schema/index.ts'
import { badRequest, unsupportedMediaType } from '../../kube/index.ts'

export const protobufType = 'application/vnd.kubernetes.protobuf'

const magic = Buffer.from('k8s\0', 'latin1')
const deepest = 100
/** Kinds that every group has, and that live in none. */
const metaKinds = new Set(['DeleteOptions', 'CreateOptions', 'UpdateOptions', 'PatchOptions', 'Status'])

interface Field {
  readonly name: string
  /** See scripts/generate-protobuf-fields.mjs. */
  readonly type: string
  readonly shape: 'single' | 'list' | 'map'
  /** A Go pointer: zero is a value and not the same as nothing. */
  readonly isPointer: boolean
  /** Its fields belong to the message around it, as Go's embedded structs do in JSON. */
  readonly isEmbedded: boolean
}

type Value = null | boolean | number | string | Value[] | { [field: string]: Value }

/**
 * Translates a request body from Kubernetes' protobuf encoding to JSON: clients send built-in kinds so, and read JSON
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding).
 *
 * @throws {StatusError} `BadRequest` when the bytes are no such message, `UnsupportedMediaType` when its kind is not known.
 */
export function jsonOfProtobuf(bytes: Buffer): string {
  if (bytes.length === 0) return ''
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw badRequest(`provided data does not appear to be a protobuf message, expected prefix ${[...magic]}`)
  const envelope = decode('runtime.Unknown', bytes.subarray(magic.length), 0)
  const { apiVersion = '', kind = '' } = (envelope.typeMeta ?? {}) as { apiVersion?: string; kind?: string }
  const message = messageOf(apiVersion, kind)
  if (!Object.hasOwn(protobufFields, message))
    throw unsupportedMediaType(
      `objects of kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)} are not understood in protobuf encoding: send JSON`,
    )
  const raw = Buffer.from(typeof envelope.raw === 'string' ? envelope.raw : '', 'base64')
  return JSON.stringify({ apiVersion, kind, ...decode(message, raw, 0) })
}

function messageOf(apiVersion: string, kind: string): string {
  if (metaKinds.has(kind)) return `meta.v1.${kind}`
  const [first = '', second] = apiVersion.split('/')
  return second === undefined ? `core.${first}.${kind}` : `${first.split('.')[0]}.${second}.${kind}`
}

const tables = new Map<string, ReadonlyMap<number, Field>>()
let schemas: ReadonlyMap<string, Schema> | undefined

function fieldsOf(message: string): ReadonlyMap<number, Field> {
  const known = tables.get(message)
  if (known) return known
  schemas ??= new Map(builtinSchemaNames())
  const schema = schemas.get(schemaNameOf(message))
  const fields = new Map<number, Field>()
  for (const text of (protobufFields[message] ?? '').split(' ').filter(Boolean)) {
    const [number = '', name = '', whole = ''] = text.split(':')
    const shape = whole.startsWith('*') ? 'list' : whole.startsWith('%') ? 'map' : 'single'
    const type = shape === 'single' ? whole : whole.slice(1)
    const property = schema?.properties?.[name]
    fields.set(Number(number), {
      name,
      type,
      shape,
      isPointer: property !== undefined && 'x-go-pointer' in property,
      isEmbedded:
        shape === 'single' &&
        type.includes('.') &&
        schema?.properties !== undefined &&
        property === undefined,
    })
  }
  tables.set(message, fields)
  return fields
}

function schemaNameOf(message: string): string {
  return message.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${message}` : `io.k8s.api.${message}`
}

function decode(message: string, bytes: Buffer, depth: number): Record<string, Value> {
  if (depth > deepest) throw badRequest('the message is nested too deeply')
  const fields = fieldsOf(message)
  // Without a prototype: a map may have any key.
  const object: Record<string, Value> = Object.create(null)
  const reader = new Reader(bytes)
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    const field = fields.get(Math.floor(tag / 8))
    const value = reader.value(tag % 8)
    if (field) put(object, field, value, depth)
  }
  return object
}

function put(object: Record<string, Value>, field: Field, value: bigint | Buffer, depth: number): void {
  const { name, type, shape } = field
  if (shape === 'map') {
    const [key, entry] = mapEntry(type, value, depth)
    const map = (object[name] ??= Object.create(null) as Record<string, Value>) as Record<string, Value>
    map[key] = entry
    return
  }
  const decoded = valueOf(type, value, depth)
  if (shape === 'list') ((object[name] ??= []) as Value[]).push(decoded ?? null)
  else if (field.isEmbedded) Object.assign(object, decoded)
  else if (decoded !== undefined && (field.isPointer || !isZero(decoded))) object[name] = decoded
}

function isZero(value: Value): boolean {
  return value === '' || value === 0 || value === false
}

function mapEntry(type: string, value: bigint | Buffer, depth: number): [string, Value] {
  const reader = new Reader(bytesOf(value))
  let key = ''
  let entry: Value = type === 's' || type === 'y' ? '' : type.includes('.') ? null : 0
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    const part = reader.value(tag % 8)
    if (Math.floor(tag / 8) === 1) key = bytesOf(part).toString('utf8')
    else entry = valueOf(type, part, depth) ?? null
  }
  return [key, entry]
}

/** The JSON value of a field; undefined when it stands for nothing. */
function valueOf(type: string, value: bigint | Buffer, depth: number): Value | undefined {
  if (type === 's') return bytesOf(value).toString('utf8')
  if (type === 'y') return bytesOf(value).toString('base64')
  if (type === 'd') return bytesOf(value).readDoubleLE(0)
  if (type === 'i' || type === 'b') {
    if (typeof value !== 'bigint') throw malformed()
    return type === 'b' ? value !== 0n : Number(BigInt.asIntN(64, value))
  }
  return special(type, decode(type, bytesOf(value), depth + 1))
}

/** Messages that are something else than objects in JSON. */
function special(type: string, message: Record<string, Value>): Value | undefined {
  switch (type) {
    case 'meta.v1.Time':
    case 'meta.v1.MicroTime':
      return timeOf(message, type === 'meta.v1.Time' ? 0 : 6)
    case 'resource.Quantity':
      return message.string ?? '0'
    case 'intstr.IntOrString':
      return message.type === 1 ? (message.strVal ?? '') : (message.intVal ?? 0)
    case 'meta.v1.FieldsV1':
      return parsed(message.Raw)
    case 'runtime.RawExtension':
      return parsed(message.raw)
    default:
      return type.endsWith('.ExtraValue') || type === 'meta.v1.Verbs' ? (message.items ?? []) : message
  }
}

function timeOf(message: Record<string, Value>, digits: number): string | undefined {
  const seconds = message.seconds
  if (typeof seconds !== 'number') return undefined
  const nanos = typeof message.nanos === 'number' ? message.nanos : 0
  const whole = new Date(seconds * 1000)
  if (Number.isNaN(whole.getTime())) throw malformed()
  const fraction = digits === 0 ? '' : `.${String(Math.floor(nanos / 1000)).padStart(digits, '0')}`
  return `${whole.toISOString().slice(0, 19)}${fraction}Z`
}

function parsed(value: Value | undefined): Value | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  try {
    return JSON.parse(Buffer.from(value, 'base64').toString('utf8')) as Value
  } catch {
    throw malformed()
  }
}

function bytesOf(value: bigint | Buffer): Buffer {
  if (typeof value === 'bigint') throw malformed()
  return value
}

function malformed(): Error {
  return badRequest('the body of the request is not a well-formed protobuf message')
}

/** The wire format: https://protobuf.dev/programming-guides/encoding/ */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** A tag or a length. */
  varint(): number {
    const value = this.#bigVarint()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed()
    return Number(value)
  }

  value(wireType: number): bigint | Buffer {
    if (wireType === 0) return this.#bigVarint()
    if (wireType === 1) return this.#take(8)
    if (wireType === 5) return this.#take(4)
    if (wireType === 2) return this.#take(this.varint())
    throw malformed()
  }

  #bigVarint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw malformed()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw malformed()
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw malformed()
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
