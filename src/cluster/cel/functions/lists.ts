import type { Budget } from '../budget.ts'
import { CelEvaluationError, noSuchOverload } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { Duration } from '../time.ts'
import { bool, double, dyn, duration, int, listOf, type Type } from '../types.ts'
import { checkedInt, List, UInt, type Value, ValueList } from '../values.ts'
import { compareValues, includes } from '../comparison.ts'

type Two = [List, List]
const two = ['list', 'list']
const element = ([list]: readonly Type[]): Type => list?.of ?? dyn

function isSorted(list: List, budget: Budget): boolean {
  for (let at = 1; at < list.length; at++) {
    if (compareValues(list.at(at - 1), list.at(at), budget) > 0) return false
  }
  return true
}

function sum(list: List, budget: Budget): Value {
  budget.spendOn(list.length)
  let total: Value = list.length === 0 ? 0n : list.at(0)
  if (
    typeof total !== 'bigint' &&
    typeof total !== 'number' &&
    !(total instanceof UInt) &&
    !(total instanceof Duration)
  ) {
    throw noSuchOverload()
  }
  for (let at = 1; at < list.length; at++) total = plus(total, list.at(at))
  return total
}

function plus(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return checkedInt(a + b)
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a instanceof UInt && b instanceof UInt) return new UInt(a.value + b.value)
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos)
  throw noSuchOverload()
}

function extreme(list: List, budget: Budget, isBetter: (order: number) => boolean): Value {
  if (list.length === 0) throw new CelEvaluationError('min/max called on empty list')
  let best = list.at(0)
  for (const item of list) if (isBetter(compareValues(item, best, budget))) best = item
  return best
}

const includesAll = (outer: List, inner: List, budget: Budget): boolean => {
  for (const item of inner) if (!includes(outer, item, budget)) return false
  return true
}

function flattened(list: List, depth: number, budget: Budget): Value[] {
  const flat: Value[] = []
  for (const item of list) {
    budget.spend(1)
    if (item instanceof List && depth > 0) {
      for (const inner of flattened(item, depth - 1, budget)) flat.push(inner)
    } else flat.push(item)
  }
  return flat
}

function distinct(list: List, budget: Budget): Value {
  const kept: Value[] = []
  for (const item of list) if (!includes(new ValueList(kept), item, budget)) kept.push(item)
  return new ValueList(kept)
}

function bounded(list: List, at: bigint): number {
  if (at < 0n || at > BigInt(list.length)) throw new CelEvaluationError(`index out of bounds: ${at}`)
  return Number(at)
}

/** Kubernetes' functions on lists, and cel-go's on lists as sets. */
export const lists: readonly CelFunction[] = [
  method(
    'isSorted',
    overload<[List]>(['list'], bool, ([list], budget) => isSorted(list, budget)),
  ),
  method(
    'sum',
    overload<[List]>(
      ['list'],
      (given) => summed(element(given)),
      ([list], budget) => sum(list, budget),
    ),
  ),
  method(
    'min',
    overload<[List]>(['list'], element, ([list], budget) => extreme(list, budget, (order) => order < 0)),
  ),
  method(
    'max',
    overload<[List]>(['list'], element, ([list], budget) => extreme(list, budget, (order) => order > 0)),
  ),
  method(
    'flatten',
    overload<[List]>(['list'], listOf(dyn), ([list], budget) => new ValueList(flattened(list, 1, budget))),
    overload<[List, bigint]>(['list', 'int'], listOf(dyn), ([list, depth], budget) => {
      if (depth < 0n) throw new CelEvaluationError('level must be non-negative')
      return new ValueList(flattened(list, Math.min(Number(depth), 100), budget))
    }),
  ),
  method(
    'distinct',
    overload<[List]>(
      ['list'],
      ([list]) => list ?? dyn,
      ([list], budget) => distinct(list, budget),
    ),
  ),
  method(
    'sort',
    overload<[List]>(
      ['list'],
      ([list]) => list ?? dyn,
      ([list], budget) => {
        budget.spendOn(list.length)
        return new ValueList([...list].sort((a, b) => compareValues(a, b, budget)))
      },
    ),
  ),
  method(
    'slice',
    overload<[List, bigint, bigint]>(
      ['list', 'int', 'int'],
      ([list]) => list ?? dyn,
      ([list, from, to], budget) => {
        budget.spendOn(list.length)
        if (from > to) throw new CelEvaluationError('slice: start must not be after end')
        return new ValueList([...list].slice(bounded(list, from), bounded(list, to)))
      },
    ),
  ),
  method(
    'includes',
    overload<[List, Value]>(['list', 'dyn'], bool, ([list, wanted], budget) =>
      includes(list, wanted, budget),
    ),
  ),
  global(
    'sets.contains',
    overload<Two>(two, bool, ([outer, inner], budget) => includesAll(outer, inner, budget)),
  ),
  global(
    'sets.equivalent',
    overload<Two>(two, bool, ([a, b], budget) => includesAll(a, b, budget) && includesAll(b, a, budget)),
  ),
  global(
    'sets.intersects',
    overload<Two>(two, bool, ([a, b], budget) => {
      for (const item of b) if (includes(a, item, budget)) return true
      return false
    }),
  ),
]

function summed(type: Type): Type {
  return [int, double, duration].find((one) => one.kind === type.kind) ?? type
}
