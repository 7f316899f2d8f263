/**
 * Faults of schedules in the five-field form of cron, in the words of the parser that Kubernetes uses
 * (https://pkg.go.dev/github.com/robfig/cron/v3).
 */

interface Field {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  {
    min: 1,
    max: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
]

const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])

/** What is wrong with the schedule, undefined when it is in order. */
export function scheduleFault(schedule: string): string | undefined {
  const text = schedule.replace(/^(TZ|CRON_TZ)=\S*\s*/, '')
  if (text === '') return 'empty spec string'
  if (text.startsWith('@')) return descriptorFault(text)
  const parts = text.trim().split(/\s+/)
  if (parts.length !== fields.length) {
    return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(' ')}]`
  }
  for (const [index, field] of fields.entries()) {
    for (const range of (parts[index] ?? '').split(',').filter((part) => part !== '')) {
      const fault = rangeFault(range, field)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

function descriptorFault(text: string): string | undefined {
  if (descriptors.has(text)) return undefined
  const every = /^@every (.*)$/.exec(text)?.[1]
  if (every === undefined) return `unrecognized descriptor: ${text}`
  return /^([-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(every)
    ? undefined
    : `failed to parse duration ${text}: time: invalid duration "${every}"`
}

function rangeFault(range: string, { min, max, names }: Field): string | undefined {
  const [span = '', step, ...moreSteps] = range.split('/')
  const [low = '', high, ...moreEnds] = span.split('-')
  let [from, to] = [min, max]
  if (low !== '*' && low !== '?') {
    const start = numberIn(low, names)
    if (typeof start === 'string') return start
    from = start
    to = start
    if (moreEnds.length > 0) return `too many hyphens: ${range}`
    if (high !== undefined) {
      const end = numberIn(high, names)
      if (typeof end === 'string') return end
      to = end
    }
  }
  if (moreSteps.length > 0) return `too many slashes: ${range}`
  let stride = 1
  if (step !== undefined) {
    const value = numberIn(step)
    if (typeof value === 'string') return value
    stride = value
    if (high === undefined) to = max
  }
  if (from < min) return `beginning of range (${from}) below minimum (${min}): ${range}`
  if (to > max) return `end of range (${to}) above maximum (${max}): ${range}`
  if (from > to) return `beginning of range (${from}) beyond end of range (${to}): ${range}`
  return stride === 0 ? `step of range should be a positive number: ${range}` : undefined
}

/** The number, or what is wrong with it. */
function numberIn(text: string, names: readonly string[] = []): number | string {
  const position = names.indexOf(text.toLowerCase())
  if (position >= 0) return names.length === 12 ? position + 1 : position
  if (!/^[-+]?\d+$/.test(text)) {
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
  }
  const value = Number(text)
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value
}

/** What is wrong with the name of a time zone, undefined when this machine knows it. */
export function timeZoneFault(zone: string): string | undefined {
  if (zone === '') return 'timeZone must be nil or non-empty string'
  const isWellFormed = zone
    .split('/')
    .every((part) => /^[A-Za-z.\-_0-9+]{1,14}$/.test(part) && !/^(\.|\.\.|-.*)$/.test(part))
  if (!isWellFormed) return `unknown time zone ${zone}`
  if (zone.toLowerCase() === 'local') {
    return 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format(0)
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return `unknown time zone ${zone}`
    throw error
  }
}
