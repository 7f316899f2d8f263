import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { bool, dyn, optionalOf, type Type } from '../types.ts'
import { Fields, List, Optional, UInt, type Value } from '../values.ts'

const inner = ([optional]: readonly Type[]): Type => optional?.of ?? dyn

/** Does a value count as nothing: null, zero, empty? */
function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true
  if (value instanceof UInt) return value.value === 0n
  if (value instanceof List) return value.length === 0
  if (value instanceof Fields) return value.size === 0
  return value instanceof Uint8Array && value.length === 0
}

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
]
