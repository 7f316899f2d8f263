import type { Budget } from './budget.ts'
import { CelEvaluationError, noSuchKey, noSuchOverload } from './errors.ts'
import { displayed, Fields, List, Optional, UInt, type Value } from './values.ts'

/** `value.field`. */
export function select(value: Value, field: string): Value {
  if (value instanceof Fields) {
    const found = value.field(field)
    if (found === undefined) throw noSuchKey(field)
    return found
  }
  if (value instanceof Optional) return optionalSelect(value, field)
  throw noSuchOverload()
}

/** `has(value.field)`. */
export function isPresent(value: Value, field: string): boolean {
  if (value instanceof Fields) return value.field(field) !== undefined
  if (value instanceof Optional) return value.value !== undefined && isPresent(value.value, field)
  throw noSuchOverload()
}

/** `value.?field`. */
export function optionalSelect(value: Value, field: string): Optional {
  const inner = value instanceof Optional ? value.value : value
  if (inner === undefined) return Optional.none
  if (!(inner instanceof Fields)) throw noSuchOverload()
  const found = inner.field(field)
  return found === undefined ? Optional.none : new Optional(found)
}

/** `value[key]`. */
export function index(value: Value, key: Value): Value {
  if (value instanceof List) {
    const at = indexOf(key)
    if (at === undefined) throw noSuchOverload()
    if (at < 0 || at >= value.length) throw new CelEvaluationError(`index out of bounds: ${at}`)
    return value.at(at)
  }
  if (value instanceof Fields) {
    const found = value.get(key)
    if (found === undefined) throw noSuchKey(displayed(key))
    return found
  }
  if (value instanceof Optional) return optionalIndex(value, key)
  throw noSuchOverload()
}

/** `value[?key]`. */
export function optionalIndex(value: Value, key: Value): Optional {
  const inner = value instanceof Optional ? value.value : value
  if (inner === undefined) return Optional.none
  if (inner instanceof List) {
    const at = indexOf(key)
    if (at === undefined) throw noSuchOverload()
    return at < 0 || at >= inner.length ? Optional.none : new Optional(inner.at(at))
  }
  if (!(inner instanceof Fields)) throw noSuchOverload()
  const found = inner.get(key)
  return found === undefined ? Optional.none : new Optional(found)
}

function indexOf(key: Value): number | undefined {
  if (typeof key === 'bigint') return Number(key)
  if (key instanceof UInt) return Number(key.value)
  return typeof key === 'number' && Number.isInteger(key) ? key : undefined
}

/** What a loop over a value goes through: elements of a list, keys of a map. */
export function* iterated(value: Value, budget: Budget): Generator<readonly [Value, Value]> {
  if (value instanceof List) {
    for (let at = 0; at < value.length; at++) {
      budget.spend(1)
      yield [BigInt(at), value.at(at)]
    }
    return
  }
  if (!(value instanceof Fields)) throw noSuchOverload()
  for (const entry of value.entries()) {
    budget.spend(1)
    yield entry
  }
}
