import type { Budget } from '../budget.ts'
import { CelEvaluationError, noSuchOverload } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { bool, dyn, listOf, optionalOf, type Type } from '../types.ts'
import { Fields, List, Optional, UInt, type Value, ValueList } from '../values.ts'

const inner = ([optional]: readonly Type[]): Type => optional?.of ?? dyn

/** Does a value count as nothing: null, zero, empty? */
function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true
  if (value instanceof UInt) return value.value === 0n
  if (value instanceof List) return value.length === 0
  if (value instanceof Fields) return value.size === 0
  return value instanceof Uint8Array && value.length === 0
}

const heldBy = ([list]: readonly Type[]): Type => listOf(list?.of?.of ?? dyn)

/** What the optionals of a list hold, without those that hold nothing. */
function unwrapped(list: List, budget: Budget): ValueList {
  const values: Value[] = []
  for (let at = 0; at < list.length; at++) {
    budget.spend(1)
    const item = list.at(at)
    if (!(item instanceof Optional)) throw noSuchOverload()
    if (item.value !== undefined) values.push(item.value)
  }
  return new ValueList(values)
}

const elementOf = ([list]: readonly Type[]): Type => optionalOf(list?.of ?? dyn)

/** Optional values (cel-go's `OptionalTypes`). */
export const optionals: readonly CelFunction[] = [
  global(
    'optional.of',
    overload<[Value]>(
      ['dyn'],
      ([type]) => optionalOf(type ?? dyn),
      ([value]) => new Optional(value),
    ),
  ),
  global(
    'optional.ofNonZeroValue',
    overload<[Value]>(
      ['dyn'],
      ([type]) => optionalOf(type ?? dyn),
      ([value]) => (isZero(value) ? Optional.none : new Optional(value)),
    ),
  ),
  global(
    'optional.none',
    overload<[]>([], optionalOf(dyn), () => Optional.none),
  ),
  method(
    'hasValue',
    overload<[Optional]>(['optional'], bool, ([{ value }]) => value !== undefined),
  ),
  method(
    'value',
    overload<[Optional]>(['optional'], inner, ([{ value }]) => {
      if (value === undefined) throw new CelEvaluationError('optional.none() dereference')
      return value
    }),
  ),
  method(
    'orValue',
    overload<[Optional, Value]>(
      ['optional', 'dyn'],
      inner,
      ([{ value }, other]) => value ?? (value === null ? null : other),
    ),
  ),
  method(
    'or',
    overload<[Optional, Optional]>(
      ['optional', 'optional'],
      ([optional]) => optional ?? dyn,
      ([one, other]) => (one.value === undefined ? other : one),
    ),
  ),
  global(
    'optional.unwrap',
    overload<[List]>(['list'], heldBy, ([list], budget) => unwrapped(list, budget)),
  ),
  method(
    'unwrapOpt',
    overload<[List]>(['list'], heldBy, ([list], budget) => unwrapped(list, budget)),
  ),
  method(
    'first',
    overload<[List]>(['list'], elementOf, ([list]) =>
      list.length === 0 ? Optional.none : new Optional(list.at(0)),
    ),
  ),
  method(
    'last',
    overload<[List]>(['list'], elementOf, ([list]) =>
      list.length === 0 ? Optional.none : new Optional(list.at(list.length - 1)),
    ),
  ),
]
