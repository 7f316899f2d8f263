import { randomUUID } from 'node:crypto'
import type { Json } from '../../../kube/index.ts'

/** A number with a fraction or an exponent, as a member or an item: `image:1.2` within a string is none. */
const written = /(?:":|[[,])\s*-?\d+(?:\.\d|[eE])/
/** A string, which is passed over, or a number. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** What stands for such a number on its way; nobody else's strings begin like it. */
const mark = `literal:${randomUUID()}:`

/**
 * The same text with every number that has a fraction or an exponent as a string that {@link literalIn} knows, undefined
 * when there is none: Go reads `3.0` as a quantity or a float, and not as an integer.
 */
export function withLiterals(text: string): string | undefined {
  if (!written.test(text)) return undefined
  return text.replace(tokens, (token) =>
    token.startsWith('"') || !/[.eE]/.test(token) ? token : `"${mark}${token}"`,
  )
}

/** The number as it was written. */
export function literalIn(value: Json): string | undefined {
  return typeof value === 'string' && value.startsWith(mark) ? value.slice(mark.length) : undefined
}

/** The value with plain numbers again, in place. */
export function withoutLiterals(value: Json): Json {
  const literal = literalIn(value)
  if (literal !== undefined) return Number(literal)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = withoutLiterals(item)
    return value
  }
  for (const key of Object.keys(value)) value[key] = withoutLiterals(value[key] ?? null)
  return value
}
