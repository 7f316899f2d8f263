import type { Json, JsonObject } from '../../kube/index.ts'
import { CelEvaluationError } from './errors.ts'
import { Duration, formatDuration, formatTimestamp, Timestamp } from './time.ts'
import { displayed, Fields, kindOf, List, Optional, UInt, type Value } from './values.ts'

/**
 * A value as JSON.
 *
 * @throws {CelEvaluationError} for what has no such form: types, functions' own values, keys that are no texts.
 */
export function toJson(value: Value): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'bigint':
      return whole(value)
    default:
  }
  if (value === null) return null
  if (value instanceof UInt) return whole(value.value)
  if (value instanceof List) return [...value].map(toJson)
  if (value instanceof Fields) return objectOf(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Optional && value.value !== undefined) return toJson(value.value)
  throw new CelEvaluationError(`a value of type ${kindOf(value)} has no form in JSON`)
}

/** Exact: a number where one can hold it. */
function whole(value: bigint): number | bigint {
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value
}

function objectOf(fields: Fields): JsonObject {
  const entries: [string, Json][] = []
  for (const [key, value] of fields.entries()) {
    if (typeof key !== 'string') {
      throw new CelEvaluationError(`map key "${displayed(key)}" is of type ${kindOf(key)}, not string`)
    }
    entries.push([key, toJson(value)])
  }
  // Not by assignment: a key may be called __proto__.
  return Object.fromEntries(entries)
}
