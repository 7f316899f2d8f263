import type { Json } from './object.ts'

/** A number that no program of Kubernetes could hold. The message is Go's. */
export class NumberRangeError extends Error {
  constructor(literal: string) {
    super(`json: cannot unmarshal number ${literal} into Go value of type float64`)
    this.name = 'NumberRangeError'
  }
}

const smallest = -(2n ** 63n)
const largest = 2n ** 63n - 1n
/** A member or an item with digits enough not to be exact, or with an exponent that may leave the range. */
const suspicious = /(?:":|[[,])\s*-?(?:\d{16}|[\d.]+[eE]\+?\d{3})/
/** What stands for a wide number in a text on its way; nobody else's strings begin like it. Made when first needed. */
let secret: string | undefined
const markOf = (): string => (secret ??= `wide:${crypto.randomUUID()}:`)
/** A string, which is passed over, or a number. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/**
 * Reads JSON as Go does: whole numbers of 64 bits keep all their digits. Those that a JavaScript number cannot hold are
 * bigints in the result; write them with {@link exactJsonText}.
 *
 * @throws {SyntaxError} when the text is no JSON.
 * @throws {NumberRangeError} for a number beyond all range.
 */
export function parseExactJson(text: string): Json {
  const value = JSON.parse(text) as Json
  if (!suspicious.test(text)) return value
  let isWide = false
  const mark = markOf()
  const withMarks = text.replace(tokens, (token) => {
    if (token.startsWith('"')) return token
    if (!Number.isFinite(Number(token))) throw new NumberRangeError(token)
    if (!isWideLiteral(token)) return token
    isWide = true
    return `"${mark}${token}"`
  })
  if (!isWide) return value
  const revive = (_key: string, inner: unknown): unknown =>
    typeof inner === 'string' && inner.startsWith(mark) ? BigInt(inner.slice(mark.length)) : inner
  // The reviver changes nothing but strings into numbers.
  return JSON.parse(withMarks, revive) as Json
}

/** A whole number as YAML or JSON spells it: exact as a bigint where a number would not be. */
export function exactInteger(literal: string): number | bigint {
  return isWideLiteral(literal) ? BigInt(literal) : Number(literal)
}

function isWideLiteral(literal: string): boolean {
  if (Number.isSafeInteger(Number(literal)) || !/^-?\d+$/.test(literal)) return false
  const value = BigInt(literal)
  return value >= smallest && value <= largest
}

/** `JSON.stringify` that also writes bigints, as numbers with all their digits. */
export function exactJsonText(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch (error) {
    // Hardly anything holds a bigint: to look for one first would cost more than to find out.
    if (!(error instanceof TypeError)) throw error
    const mark = markOf()
    const marking = (_key: string, inner: unknown): unknown =>
      typeof inner === 'bigint' ? `${mark}${inner}` : inner
    const text = JSON.stringify(value, marking, indent)
    return text.replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1')
  }
}

/** The value with every bigint as the number next to it, for what Go holds as such. */
export function inexact(value: Json): Json {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const next = inexact(item)
      if (next !== item) value[index] = next
    }
    return value
  }
  for (const key of Object.keys(value)) {
    const item = value[key]
    const next = item === undefined ? item : inexact(item)
    if (next !== item) value[key] = next
  }
  return value
}
