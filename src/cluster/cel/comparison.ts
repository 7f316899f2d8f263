import type { Budget } from './budget.ts'
import { noSuchOverload } from './errors.ts'
import { Duration, Timestamp } from './time.ts'
import { Fields, List, Opaque, Optional, TypeName, UInt, type Value, ValueList } from './values.ts'

/** Equality over all kinds: numbers by amount, everything else only within its kind. */
export function areEqual(a: Value, b: Value, budget: Budget): boolean {
  budget.spend(1)
  if (a === b) return true
  if (typeof a === 'string') {
    if (typeof b === 'string') budget.spendOn(Math.min(a.length, b.length))
    return false
  }
  if (a === null || b === null || typeof a === 'boolean') return false
  const numbers = compareNumbers(a, b)
  if (numbers !== undefined) return numbers === 0
  if (a instanceof List) {
    if (!(b instanceof List) || a.length !== b.length) return false
    if (a.isUnordered || b.isUnordered) return [...a].every((item) => includes(b, item, budget))
    for (let index = 0; index < a.length; index++) {
      if (!areEqual(a.at(index), b.at(index), budget)) return false
    }
    return true
  }
  if (a instanceof Fields) {
    if (!(b instanceof Fields) || a.size !== b.size) return false
    for (const [key, value] of a.entries()) {
      const other = b.get(key)
      if (other === undefined || !areEqual(value, other, budget)) return false
    }
    return true
  }
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos
  if (a instanceof TypeName) return b instanceof TypeName && a.name === b.name
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false
    if (a.value === undefined || b.value === undefined) return a.value === b.value
    return areEqual(a.value, b.value, budget)
  }
  return a instanceof Opaque && b instanceof Opaque && a.kind === b.kind && a.equals(b)
}

/** Is an element of the list equal to this value? */
export function includes(list: List, wanted: Value, budget: Budget): boolean {
  for (const item of list) if (areEqual(item, wanted, budget)) return true
  return false
}

/** Both lists as one; sets take no element twice, and in maps the later element of a key takes the place of the first. */
export function concatenate(a: List, b: List, budget: Budget): List {
  budget.spend(1 + a.length + b.length)
  const items = [...a]
  if (!a.isUnordered) return new ValueList([...items, ...b])
  const isSame = (one: Value, other: Value): boolean =>
    a.keys === undefined
      ? areEqual(one, other, budget)
      : one instanceof Fields &&
        other instanceof Fields &&
        a.keys.every((key) => areEqual(one.get(key) ?? null, other.get(key) ?? null, budget))
  for (const item of b) {
    const at = items.findIndex((one) => isSame(one, item))
    if (at < 0) items.push(item)
    else if (a.keys !== undefined) items[at] = item
  }
  return new ValueList(items)
}

function compareNumbers(a: Value, b: Value): number | undefined {
  const left = a instanceof UInt ? a.value : a
  const right = b instanceof UInt ? b.value : b
  if (typeof left !== 'bigint' && typeof left !== 'number') return undefined
  if (typeof right !== 'bigint' && typeof right !== 'number') return undefined
  if (left < right) return -1
  if (left > right) return 1
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0
}

/** Negative, zero, positive; NaN when neither is smaller. @throws {CelEvaluationError} for kinds without an order. */
export function compareValues(a: Value, b: Value, budget: Budget): number {
  const numbers = compareNumbers(a, b)
  if (numbers !== undefined) return numbers
  if (typeof a === 'string' && typeof b === 'string') {
    budget.spendOn(Math.min(a.length, b.length))
    return a < b ? -1 : a > b ? 1 : 0
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    budget.spendOn(Math.min(a.length, b.length))
    return Buffer.compare(a, b)
  }
  if (
    (a instanceof Timestamp && b instanceof Timestamp) ||
    (a instanceof Duration && b instanceof Duration)
  ) {
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  }
  throw noSuchOverload()
}
