import {
  canonicalQuantity,
  exactJsonText,
  inexact,
  type Json,
  type JsonObject,
  QuantityError,
} from '../../../kube/index.ts'
import { base64Fault, canonicalTimeOf } from './go-values.ts'
import { jsonMismatch, kindOf, mapMismatch } from './mismatch-words.ts'
import { literalIn, withoutLiterals } from './number-literals.ts'
import type { Shape, StructShape } from './shape.ts'

/** A value that Go's decoder would refuse. The message is Go's. */
export class DecodingError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DecodingError'
  }
}

/** How mismatches are worded: `json` as `encoding/json` does, `map` as the converter that strategic merge patch uses. */
export type Wording = 'json' | 'map'

export interface DecodedValue {
  readonly value: JsonObject
  /** Paths of the fields that the kind does not have: `spec.containers[0].nonsense`. */
  readonly unknown: readonly string[]
}

/**
 * Brings a parsed JSON value into the shape of a built-in kind, in place: unknown fields, nulls and zero values that Go
 * would lose are dropped, quantities and times become canonical.
 *
 * @throws {DecodingError} for a value of a wrong type.
 */
export function decodeValue(
  value: JsonObject,
  shape: Shape,
  wording: Wording = 'json',
  { hasLiterals }: { readonly hasLiterals: boolean } = { hasLiterals: false },
): DecodedValue {
  const walk: Walk = { root: shape, wording, path: [], unknown: [], mismatch: undefined, hasLiterals }
  if (shape.is === 'struct') decodeStruct(walk, value, shape)
  if (walk.mismatch !== undefined) throw new DecodingError(walk.mismatch)
  return { value, unknown: walk.unknown }
}

interface Walk {
  readonly root: Shape
  readonly wording: Wording
  readonly path: (string | number)[]
  readonly unknown: string[]
  /** The first mismatch. Go goes on after one, since a fault of a type with its own decoder counts for more. */
  mismatch: string | undefined
  /** Numbers that have a fraction or an exponent are there as they were written. */
  readonly hasLiterals: boolean
}

function decodeStruct(walk: Walk, value: JsonObject, shape: StructShape): void {
  const { path } = walk
  for (const key of Object.keys(value)) {
    const field = shape.fields.get(key)
    if (!field) {
      if (walk.unknown.length < 100) walk.unknown.push(pathText([...path, key]))
      delete value[key]
      continue
    }
    const raw = value[key]
    if (raw === null || raw === undefined) {
      delete value[key]
      continue
    }
    path.push(key)
    const decoded = decode(walk, raw, field.shape)
    path.pop()
    if (!field.keepsZero && isZero(decoded, field.shape)) delete value[key]
    else if (decoded !== raw) value[key] = decoded
  }
}

/** Empty structs are kept: an optional one is held by pointer (`emptyDir: {}`). */
function isZero(value: Json, shape: Shape): boolean {
  switch (shape.is) {
    case 'list':
      return Array.isArray(value) && value.length === 0
    case 'map':
      return isObject(value) && Object.keys(value).length === 0
    case 'any':
    case 'either':
      return false
    default:
      return value === '' || value === false || value === 0
  }
}

function decode(walk: Walk, value: Json, shape: Shape): Json {
  const literal = walk.hasLiterals ? literalIn(value) : undefined
  if (literal !== undefined) return decodeLiteral(walk, literal, shape)
  switch (shape.is) {
    case 'string':
      return typeof value === 'string' ? value : mismatch(walk, value, shape, '')
    case 'struct':
      if (!isObject(value)) return mismatch(walk, value, shape, {})
      decodeStruct(walk, value, shape)
      return value
    case 'map':
      return isObject(value) ? decodeMap(walk, value, shape.value) : mismatch(walk, value, shape, {})
    case 'list':
      return Array.isArray(value) ? decodeList(walk, value, shape.item) : mismatch(walk, value, shape, [])
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(walk, value, shape, false)
    case 'int32':
      return isInteger(value, shape.is) ? value : mismatch(walk, value, shape, 0)
    // What is too wide for a number is out of all bounds that such fields have.
    case 'int64':
      return isInteger(value, shape.is)
        ? value
        : typeof value === 'bigint'
          ? Number(value)
          : mismatch(walk, value, shape, 0)
    case 'float':
      return typeof value === 'number' || typeof value === 'bigint'
        ? Number(value)
        : mismatch(walk, value, shape, 0)
    case 'any':
      return inexact(walk.hasLiterals ? withoutLiterals(value) : value)
    case 'either':
      return decode(walk, value, isObject(value) ? shape.object : shape.other)
    default:
      return decodeText(walk, value, shape)
  }
}

/** Go reads integers digit by digit, and quantities from what is written. */
function decodeLiteral(walk: Walk, literal: string, shape: Shape): Json {
  switch (shape.is) {
    case 'int32':
    case 'int64':
      walk.mismatch ??= jsonMismatch(walk, `number ${literal}`, shape)
      return 0
    case 'int-or-string':
      throw new DecodingError(`json: cannot unmarshal number ${literal} into Go value of type int32`)
    case 'quantity':
      return quantity(literal)
    default:
      return decode(walk, Number(literal), shape)
  }
}

/** Types that read their JSON themselves. Their faults end the decoding at once, and name no field. */
function decodeText(walk: Walk, value: Json, shape: Shape): Json {
  switch (shape.is) {
    case 'quantity':
      return quantity(value)
    case 'time':
    case 'micro-time': {
      if (typeof value !== 'string')
        throw new DecodingError(`json: cannot unmarshal ${kindOf(value)} into Go value of type string`)
      const read = canonicalTimeOf(value, shape.is === 'micro-time')
      if ('fault' in read) throw new DecodingError(read.fault)
      return read.text
    }
    case 'int-or-string':
      if (typeof value === 'string' || isInteger(value, 'int32')) return value
      throw new DecodingError(
        `json: cannot unmarshal ${isNumber(value) ? `number ${value}` : kindOf(value)} into Go value of type int32`,
      )
    case 'bytes': {
      if (typeof value !== 'string') return mismatch(walk, value, shape, '')
      const fault = base64Fault(value)
      if (fault) walk.mismatch ??= fault
      return value
    }
    default:
      return value
  }
}

function quantity(value: Json): string {
  const text = typeof value === 'string' ? value.trim() : exactJsonText(value)
  // By far the most quantities are whole numbers below a thousand of some unit, which are canonical as they stand.
  if (/^(?:0|[1-9]\d{0,2}(?:[mkMGT]|[KMGT]i)?)$/.test(text)) return text
  try {
    return canonicalQuantity(text)
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodingError(error.message)
    throw error
  }
}

function decodeMap(walk: Walk, value: JsonObject, shape: Shape): Json {
  for (const key of Object.keys(value)) {
    const raw = value[key] ?? null
    if (shape.is === 'string' && typeof raw === 'string') continue
    walk.path.push(key)
    const decoded = raw === null ? zeroOf(shape) : decode(walk, raw, shape)
    walk.path.pop()
    if (decoded !== raw) value[key] = decoded
  }
  return value
}

function decodeList(walk: Walk, value: Json[], shape: Shape): Json {
  for (let index = 0; index < value.length; index++) {
    const raw = value[index] ?? null
    walk.path.push(index)
    const decoded = raw === null ? zeroOf(shape) : decode(walk, raw, shape)
    walk.path.pop()
    if (decoded !== raw) value[index] = decoded
  }
  return value
}

/** What Go leaves in a list or map for a null. */
function zeroOf(shape: Shape): Json {
  switch (shape.is) {
    case 'struct':
    case 'map':
    case 'either':
      return {}
    case 'list':
      return []
    case 'boolean':
      return false
    case 'int32':
    case 'int64':
    case 'float':
    case 'int-or-string':
      return 0
    case 'quantity':
      return '0'
    case 'any':
    case 'time':
    case 'micro-time':
      return null
    default:
      return ''
  }
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNumber(value: Json): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isInteger(value: Json, size: 'int32' | 'int64'): value is number {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false
  return size === 'int32' ? value >= -0x80000000 && value <= 0x7fffffff : Math.abs(value) < 2 ** 63
}

function mismatch<T extends Json>(walk: Walk, value: Json, shape: Shape, zero: T): T {
  const isIntegral = shape.is === 'int32' || shape.is === 'int64'
  const what = isNumber(value) && isIntegral ? `number ${value}` : kindOf(value)
  walk.mismatch ??= walk.wording === 'json' ? jsonMismatch(walk, what, shape) : mapMismatch(value, shape)
  return zero
}

/** `spec.containers[0].name` */
export function pathText(path: readonly (string | number)[]): string {
  let text = ''
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`
  return text
}
