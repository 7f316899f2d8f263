import { CelEvaluationError } from './errors.ts'

/** A moment, in nanoseconds since the epoch. */
export class Timestamp {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    if (nanos < earliest || nanos > latest) throw new CelEvaluationError('timestamp overflow')
    this.nanos = nanos
  }
}

/** A span of time in nanoseconds, at most some 292 years. */
export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    if (nanos < -longest || nanos > longest) throw new CelEvaluationError('duration overflow')
    this.nanos = nanos
  }
}

const second = 1_000_000_000n
// Years 1 to 9999, as protobuf's timestamps.
const earliest = -62_135_596_800n * second
const latest = 253_402_300_800n * second - 1n
const longest = 2n ** 63n - 1n

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2})$/

export function parseTimestamp(text: string): Timestamp | undefined {
  const match = rfc3339.exec(text)
  if (match === null) return undefined
  const [, day = '', time = '', fraction = '', zone = 'Z'] = match
  const milliseconds = Date.parse(`${day}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(milliseconds)) return undefined
  return new Timestamp(BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0')))
}

/** A day of the calendar, as fields of format `date` are read. */
export function parseDate(text: string): Timestamp | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const milliseconds = Date.parse(text)
  return Number.isNaN(milliseconds) ? undefined : new Timestamp(BigInt(milliseconds) * 1_000_000n)
}

export function formatTimestamp({ nanos }: Timestamp): string {
  const seconds = floorDivide(nanos, second)
  const rest = nanos - seconds * second
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fraction}Z`
}

const unitNanos: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Reads a duration of Go: `1h30m`, `-1.5s`. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text)
  if (text === '0' || text === '+0' || text === '-0') return new Duration(0n)
  if (match === null) return undefined
  let nanos = 0n
  for (const [, number = '0', unit = 's'] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const [whole = '', fraction = ''] = number.split('.')
    const scale = BigInt(unitNanos[unit] ?? 1)
    nanos += BigInt(whole || '0') * scale
    if (fraction) nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
    if (nanos > longest) return undefined
  }
  return new Duration(match[1] === '-' ? -nanos : nanos)
}

export function formatDuration({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos
  const rest = size % second
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
  return `${nanos < 0n ? '-' : ''}${size / second}${fraction}s`
}

export type CalendarField =
  | 'fullYear'
  | 'month'
  | 'date'
  | 'dayOfMonth'
  | 'dayOfWeek'
  | 'dayOfYear'
  | 'hours'
  | 'minutes'
  | 'seconds'
  | 'milliseconds'

/** A part of the calendar date in a time zone, `UTC` unless given; a zone is a name or an offset such as `+02:00`. */
export function calendarField(moment: Timestamp, field: CalendarField, zone: string): bigint {
  const local = inZone(moment, zone)
  switch (field) {
    case 'fullYear':
      return BigInt(local.getUTCFullYear())
    case 'month':
      return BigInt(local.getUTCMonth())
    case 'date':
      return BigInt(local.getUTCDate())
    case 'dayOfMonth':
      return BigInt(local.getUTCDate() - 1)
    case 'dayOfWeek':
      return BigInt(local.getUTCDay())
    case 'dayOfYear':
      return BigInt(Math.floor((startOfDay(local) - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000))
    case 'hours':
      return BigInt(local.getUTCHours())
    case 'minutes':
      return BigInt(local.getUTCMinutes())
    case 'seconds':
      return BigInt(local.getUTCSeconds())
    case 'milliseconds':
      return BigInt(local.getUTCMilliseconds())
  }
}

function startOfDay(date: Date): number {
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate())
}

/** A date whose UTC fields are those of the zone. */
function inZone(moment: Timestamp, zone: string): Date {
  const milliseconds = Number(floorDivide(moment.nanos, 1_000_000n))
  if (zone === 'UTC' || zone === '') return new Date(milliseconds)
  const offset = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(zone)
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(milliseconds + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(milliseconds)
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
    return new Date(
      Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) +
        (((milliseconds % 1000) + 1000) % 1000),
    )
  } catch (cause) {
    throw new CelEvaluationError(`unknown time zone ${zone}`, { cause })
  }
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}
