import type { Budget } from '../budget.ts'
import { CelEvaluationError } from '../errors.ts'
import { Duration, formatDuration, formatTimestamp, Timestamp } from '../time.ts'
import { Fields, kindOf, List, TypeName, UInt, type Value } from '../values.ts'
import { doubleToText } from './conversions.ts'

const longest = 1_000_000

/** `'%s is %d'.format([...])`, with the verbs of cel-go: s d f e b x X o. */
export function format(text: string, values: List, budget: Budget): string {
  budget.spendOn(text.length)
  let next = 0
  let size = 0
  const made = text.replace(
    /%(%|(?:\.(\d{1,3}))?([sdfebxXo])|[^]?)/g,
    (match, rest: string, digits: string, verb: string) => {
      if (rest === '%') return '%'
      if (verb === undefined)
        throw new CelEvaluationError(
          `could not parse formatting clause: unrecognized formatting clause "${match.slice(1)}"`,
        )
      if (next >= values.length) throw new CelEvaluationError(`index ${next} out of range`)
      const part = formatOne(
        verb,
        values.at(next++),
        digits === undefined ? undefined : Number(digits),
        budget,
      )
      size += part.length
      budget.spendOn(part.length)
      if (size > longest) throw new CelEvaluationError('formatted text is too long')
      return part
    },
  )
  return made
}

function formatOne(verb: string, value: Value, digits: number | undefined, budget: Budget): string {
  switch (verb) {
    case 's':
      return plain(value, budget, 0)
    case 'd':
      if (value instanceof UInt) return String(value.value)
      if (typeof value === 'bigint') return String(value)
      if (typeof value === 'number' && !Number.isFinite(value)) return special(value)
      break
    case 'f':
    case 'e': {
      const number =
        typeof value === 'bigint' ? Number(value) : value instanceof UInt ? Number(value.value) : value
      if (typeof number !== 'number') break
      if (!Number.isFinite(number)) return special(number)
      if (verb === 'f') return number.toFixed(Math.min(digits ?? 6, 100))
      return number.toExponential(Math.min(digits ?? 6, 100)).replace(/e([+-])(\d)$/, 'e$10$2')
    }
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      if (typeof value === 'bigint') return value.toString(2)
      if (value instanceof UInt) return value.value.toString(2)
      break
    case 'o':
      if (typeof value === 'bigint') return value.toString(8)
      if (value instanceof UInt) return value.value.toString(8)
      break
    default: {
      const text = hexadecimal(value)
      if (text !== undefined) return verb === 'X' ? text.toUpperCase() : text
    }
  }
  throw new CelEvaluationError(
    `error during formatting: %${verb} clause cannot take a value of type ${kindOf(value)}`,
  )
}

function hexadecimal(value: Value): string | undefined {
  if (typeof value === 'bigint') return value.toString(16)
  if (value instanceof UInt) return value.value.toString(16)
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return undefined
}

function special(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}

function plain(value: Value, budget: Budget, depth: number): string {
  budget.spend(1)
  if (typeof value === 'string') return value
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? doubleToText(value) : special(value)
  if (value instanceof UInt) return String(value.value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeName) return value.name
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof List) return `[${[...value].map((item) => plain(item, budget, depth + 1)).join(', ')}]`
  if (value instanceof Fields) {
    const parts = [...value.entries()].map(
      ([key, item]) => `${plain(key, budget, depth + 1)}: ${plain(item, budget, depth + 1)}`,
    )
    return `{${parts.sort().join(', ')}}`
  }
  throw new CelEvaluationError(
    `error during formatting: string clause cannot take a value of type ${kindOf(value)}`,
  )
}
