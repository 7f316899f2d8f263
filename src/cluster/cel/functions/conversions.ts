import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import {
  type CalendarField,
  calendarField,
  Duration,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  Timestamp,
} from '../time.ts'
import { bool, bytes, double, duration, dyn, int, string, timestamp, typeType, uint } from '../types.ts'
import { checkedInt, Fields, kindOf, List, TypeName, UInt, type Value } from '../values.ts'
import { characters } from '../text.ts'

const second = 1_000_000_000n

function truncated(value: number): bigint {
  if (!Number.isFinite(value)) throw new CelEvaluationError('integer overflow')
  return BigInt(Math.trunc(value))
}

function parsed<T>(value: T | undefined, text: string, kind: string): T {
  if (value === undefined)
    throw new CelEvaluationError(`type conversion error from 'string' to '${kind}': ${text}`)
  return value
}

function integerText(text: string, kind: string): bigint {
  if (!/^[+-]?\d{1,20}$/.test(text))
    throw new CelEvaluationError(`type conversion error from 'string' to '${kind}': ${text}`)
  return BigInt(text.replace(/^\+/, ''))
}

function doubleText(text: string): number {
  const value = /^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|Inf|NaN)$/.test(text)
    ? Number(text.replace('Inf', 'Infinity'))
    : undefined
  return parsed(value, text, 'double')
}

/** As Go prints a double: an integer without a point. */
export function doubleToText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

const trueTexts = new Set(['true', 'True', 'TRUE', 't', '1'])
const falseTexts = new Set(['false', 'False', 'FALSE', 'f', '0'])

function typeNameOf(value: Value): string {
  const kind = kindOf(value)
  const names: Readonly<Record<string, string>> = {
    null: 'null_type',
    timestamp: 'google.protobuf.Timestamp',
    duration: 'google.protobuf.Duration',
    optional: 'optional_type',
  }
  return names[kind] ?? kind
}

const calendar: Readonly<Record<string, CalendarField>> = {
  getFullYear: 'fullYear',
  getMonth: 'month',
  getDate: 'date',
  getDayOfMonth: 'dayOfMonth',
  getDayOfWeek: 'dayOfWeek',
  getDayOfYear: 'dayOfYear',
}
const clock: Readonly<Record<string, readonly [CalendarField, bigint]>> = {
  getHours: ['hours', 3600n * second],
  getMinutes: ['minutes', 60n * second],
  getSeconds: ['seconds', second],
  getMilliseconds: ['milliseconds', 1_000_000n],
}

function calendarOverloads(field: CalendarField) {
  return [
    overload<[Timestamp]>(['timestamp'], int, ([moment]) => calendarField(moment, field, 'UTC')),
    overload<[Timestamp, string]>(['timestamp', 'string'], int, ([moment, zone]) =>
      calendarField(moment, field, zone),
    ),
  ]
}

/** Conversions between kinds, sizes, and the parts of times. */
export const conversions: readonly CelFunction[] = [
  global(
    'int',
    overload<[bigint]>(['int'], int, ([value]) => value),
    overload<[UInt]>(['uint'], int, ([value]) => checkedInt(value.value)),
    overload<[number]>(['double'], int, ([value]) => checkedInt(truncated(value))),
    overload<[string]>(['string'], int, ([text]) => checkedInt(integerText(text, 'int'))),
    overload<[Timestamp]>(
      ['timestamp'],
      int,
      ([{ nanos }]) => nanos / second - (nanos % second < 0n ? 1n : 0n),
    ),
    overload<[Duration]>(['duration'], int, ([{ nanos }]) => nanos),
  ),
  global(
    'uint',
    overload<[UInt]>(['uint'], uint, ([value]) => value),
    overload<[bigint]>(['int'], uint, ([value]) => new UInt(value)),
    overload<[number]>(['double'], uint, ([value]) => new UInt(truncated(value))),
    overload<[string]>(['string'], uint, ([text]) => new UInt(integerText(text, 'uint'))),
  ),
  global(
    'double',
    overload<[number]>(['double'], double, ([value]) => value),
    overload<[bigint]>(['int'], double, ([value]) => Number(value)),
    overload<[UInt]>(['uint'], double, ([value]) => Number(value.value)),
    overload<[string]>(['string'], double, ([text]) => doubleText(text)),
  ),
  global(
    'string',
    overload<[string]>(['string'], string, ([text]) => text),
    overload<[bigint]>(['int'], string, ([value]) => String(value)),
    overload<[UInt]>(['uint'], string, ([value]) => String(value.value)),
    overload<[number]>(['double'], string, ([value]) => doubleToText(value)),
    overload<[boolean]>(['bool'], string, ([value]) => String(value)),
    overload<[Uint8Array]>(['bytes'], string, ([value], budget) => {
      budget.spendOn(value.length)
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(value)
      } catch (cause) {
        throw new CelEvaluationError('invalid UTF-8 in bytes, cannot convert to string', { cause })
      }
    }),
    overload<[Timestamp]>(['timestamp'], string, ([value]) => formatTimestamp(value)),
    overload<[Duration]>(['duration'], string, ([value]) => formatDuration(value)),
  ),
  global(
    'bytes',
    overload<[Uint8Array]>(['bytes'], bytes, ([value]) => value),
    overload<[string]>(['string'], bytes, ([text], budget) => {
      budget.spendOn(text.length)
      return new Uint8Array(Buffer.from(text))
    }),
  ),
  global(
    'bool',
    overload<[boolean]>(['bool'], bool, ([value]) => value),
    overload<[string]>(['string'], bool, ([text]) => {
      const value = trueTexts.has(text) ? true : falseTexts.has(text) ? false : undefined
      return parsed(value, text, 'bool')
    }),
  ),
  global(
    'timestamp',
    overload<[Timestamp]>(['timestamp'], timestamp, ([value]) => value),
    overload<[string]>(['string'], timestamp, ([text]) => parsed(parseTimestamp(text), text, 'timestamp')),
    overload<[bigint]>(['int'], timestamp, ([seconds]) => new Timestamp(seconds * second)),
  ),
  global(
    'duration',
    overload<[Duration]>(['duration'], duration, ([value]) => value),
    overload<[string]>(['string'], duration, ([text]) => parsed(parseDuration(text), text, 'duration')),
    overload<[bigint]>(['int'], duration, ([nanos]) => new Duration(nanos)),
  ),
  global(
    'dyn',
    overload<[Value]>(['dyn'], dyn, ([value]) => value),
  ),
  global(
    'type',
    overload<[Value]>(['dyn'], typeType, ([value]) => new TypeName(typeNameOf(value))),
  ),
  ...[global, method].map((kind) =>
    kind(
      'size',
      overload<[string]>(['string'], int, ([text], budget) => {
        budget.spendOn(text.length)
        return BigInt(characters(text).length)
      }),
      overload<[Uint8Array]>(['bytes'], int, ([value]) => BigInt(value.length)),
      overload<[List]>(['list'], int, ([value]) => BigInt(value.length)),
      overload<[Fields]>(['map'], int, ([value]) => BigInt(value.size)),
    ),
  ),
  ...Object.entries(calendar).map(([name, field]) => method(name, ...calendarOverloads(field))),
  ...Object.entries(clock).map(([name, [field, unit]]) =>
    method(
      name,
      ...calendarOverloads(field),
      overload<[Duration]>(['duration'], int, ([{ nanos }]) =>
        field === 'milliseconds' ? (nanos % second) / unit : nanos / unit,
      ),
    ),
  ),
]
