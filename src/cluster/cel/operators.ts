import { CelEvaluationError } from './errors.ts'
import { type CelFunction, global, type Overload, overload } from './function.ts'
import { Duration, Timestamp } from './time.ts'
import {
  bool,
  bytes,
  commonType,
  double,
  dyn,
  duration,
  int,
  listOf,
  string,
  timestamp,
  uint,
} from './types.ts'
import { checkedInt, Fields, List, UInt, type Value } from './values.ts'
import { areEqual, compareValues, concatenate, includes } from './comparison.ts'

/** Operators are functions by the names that cel-go gives them. */
export const operatorNames: Readonly<Record<string, string>> = {
  '+': '_+_',
  '-': '_-_',
  '*': '_*_',
  '/': '_/_',
  '%': '_%_',
  '<': '_<_',
  '<=': '_<=_',
  '>': '_>_',
  '>=': '_>=_',
  '==': '_==_',
  '!=': '_!=_',
  in: '@in',
  '!_': '!_',
  '-_': '-_',
}

const ints = ['int', 'int']
const uints = ['uint', 'uint']
const doubles = ['double', 'double']

function arithmetic(
  onInts: (a: bigint, b: bigint) => bigint,
  onDoubles?: (a: number, b: number) => number,
): Overload[] {
  return [
    overload<[bigint, bigint]>(ints, int, ([a, b]) => checkedInt(onInts(a, b))),
    overload<[UInt, UInt]>(uints, uint, ([a, b]) => new UInt(onInts(a.value, b.value))),
    ...(onDoubles === undefined
      ? []
      : [overload<[number, number]>(doubles, double, ([a, b]) => onDoubles(a, b))]),
  ]
}

function nonZero(divisor: bigint, what: string): bigint {
  if (divisor === 0n) throw new CelEvaluationError(what)
  return divisor
}

const numbers = ['int', 'uint', 'double']
const ordered = ['string', 'bool', 'bytes', 'timestamp', 'duration']
const comparisons = [
  ...numbers.flatMap((a) => numbers.map((b) => [a, b])),
  ...ordered.map((kind) => [kind, kind]),
]

function comparison(name: string, decide: (order: number) => boolean): CelFunction {
  return global(
    name,
    ...comparisons.map((args) =>
      overload<[Value, Value]>(args, bool, ([a, b], budget) => decide(compareValues(a, b, budget))),
    ),
  )
}

export const operators: readonly CelFunction[] = [
  global(
    '_+_',
    ...arithmetic(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
    overload<[string, string]>(['string', 'string'], string, ([a, b], budget) => {
      budget.spendOn(a.length + b.length)
      return a + b
    }),
    overload<[Uint8Array, Uint8Array]>(['bytes', 'bytes'], bytes, ([a, b], budget) => {
      budget.spendOn(a.length + b.length)
      return new Uint8Array(Buffer.concat([a, b]))
    }),
    overload<[List, List]>(
      ['list', 'list'],
      ([a, b]) => listOf(commonType(a?.of ?? dyn, b?.of ?? dyn)),
      ([a, b], budget) => concatenate(a, b, budget),
    ),
    overload<[Timestamp, Duration]>(
      ['timestamp', 'duration'],
      timestamp,
      ([a, b]) => new Timestamp(a.nanos + b.nanos),
    ),
    overload<[Duration, Timestamp]>(
      ['duration', 'timestamp'],
      timestamp,
      ([a, b]) => new Timestamp(a.nanos + b.nanos),
    ),
    overload<[Duration, Duration]>(
      ['duration', 'duration'],
      duration,
      ([a, b]) => new Duration(a.nanos + b.nanos),
    ),
  ),
  global(
    '_-_',
    ...arithmetic(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
    overload<[Timestamp, Timestamp]>(
      ['timestamp', 'timestamp'],
      duration,
      ([a, b]) => new Duration(a.nanos - b.nanos),
    ),
    overload<[Timestamp, Duration]>(
      ['timestamp', 'duration'],
      timestamp,
      ([a, b]) => new Timestamp(a.nanos - b.nanos),
    ),
    overload<[Duration, Duration]>(
      ['duration', 'duration'],
      duration,
      ([a, b]) => new Duration(a.nanos - b.nanos),
    ),
  ),
  global(
    '_*_',
    ...arithmetic(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  ),
  global(
    '_/_',
    ...arithmetic(
      (a, b) => a / nonZero(b, 'division by zero'),
      (a, b) => a / b,
    ),
  ),
  global('_%_', ...arithmetic((a, b) => a % nonZero(b, 'modulus by zero'))),
  comparison('_<_', (order) => order < 0),
  comparison('_<=_', (order) => order <= 0),
  comparison('_>_', (order) => order > 0),
  comparison('_>=_', (order) => order >= 0),
  global(
    '_==_',
    overload<[Value, Value]>(['dyn', 'dyn'], bool, ([a, b], budget) => areEqual(a, b, budget)),
  ),
  global(
    '_!=_',
    overload<[Value, Value]>(['dyn', 'dyn'], bool, ([a, b], budget) => !areEqual(a, b, budget)),
  ),
  global(
    '@in',
    overload<[Value, List]>(['dyn', 'list'], bool, ([wanted, list], budget) =>
      includes(list, wanted, budget),
    ),
    overload<[Value, Fields]>(['dyn', 'map'], bool, ([wanted, map]) => map.get(wanted) !== undefined),
  ),
  global(
    '!_',
    overload<[boolean]>(['bool'], bool, ([value]) => !value),
  ),
  global(
    '-_',
    overload<[bigint]>(['int'], int, ([value]) => checkedInt(-value)),
    overload<[number]>(['double'], double, ([value]) => -value),
    overload<[Duration]>(['duration'], duration, ([value]) => new Duration(-value.nanos)),
  ),
]
