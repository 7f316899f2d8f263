import type { Json } from '../../../kube/index.ts'

/** What one pass over a JSON text that parses tells. */
export interface TextMeasure {
  /** Object members in the text, duplicates included. */
  readonly keys: number
  readonly depth: number
}

/**
 * Counts the members of a JSON text. `JSON.parse` silently lets the last of several equal keys win; the count against
 * that of the parsed value ({@link countKeys}) tells cheaply whether {@link duplicateKeys} must look closer.
 */
export function measure(text: string): TextMeasure {
  let keys = 0
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x22) at = endOfString(text, at)
    else if (char === 0x3a) keys++
    else if (char === 0x7b || char === 0x5b) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (char === 0x7d || char === 0x5d) depth--
  }
  return { keys, depth: deepest }
}

/** Index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  // A quote after an odd number of backslashes belongs to the string.
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}

/** Object members of a value, at every depth. */
export function countKeys(value: Json | undefined): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item)
    return count
  }
  for (const key of Object.keys(value)) {
    count++
    const inner = value[key]
    if (typeof inner === 'object') count += countKeys(inner)
  }
  return count
}

/** Paths of the members that a text has more than once, as strict decoding errors spell them: `spec.containers[0].name`. */
export function duplicateKeys(text: string): string[] {
  return keyFaults(text, new Set()).map(({ path }) => path)
}

/** A member that is there again, or that the kind does not have. */
export interface KeyFault {
  readonly path: string
  readonly is: 'duplicate' | 'unknown'
}

/**
 * Duplicate members, and those that are known to be unknown, in the order of the text. An unknown member is no duplicate
 * when it comes again, and what is in it does not count.
 */
export function keyFaults(text: string, unknown: ReadonlySet<string>): KeyFault[] {
  const walking: Walking = { text, unknown, found: [] }
  walk(walking, 0, '')
  return walking.found
}

interface Walking {
  readonly text: string
  readonly unknown: ReadonlySet<string>
  readonly found: KeyFault[]
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  return at
}

function walk(walking: Walking, start: number, path: string): number {
  const { text } = walking
  let at = skipSpace(text, start)
  const char = text[at]
  if (char === '"') return endOfString(text, at) + 1
  if (char === '{') return walkObject(walking, at, path)
  if (char === '[') {
    at = skipSpace(text, at + 1)
    if (text[at] === ']') return at + 1
    for (let index = 0; at < text.length; index++) {
      at = skipSpace(text, walk(walking, at, `${path}[${index}]`))
      if (text[at] === ']') return at + 1
      at++
    }
    return at
  }
  while (at < text.length && !',]} \t\r\n'.includes(text[at] ?? '')) at++
  return at
}

function walkObject(walking: Walking, start: number, path: string): number {
  const { text, unknown, found } = walking
  const seen = new Set<string>()
  let at = skipSpace(text, start + 1)
  if (text[at] === '}') return at + 1
  while (at < text.length) {
    const end = endOfString(text, at)
    const key = JSON.parse(text.slice(at, end + 1)) as string
    const inner = path === '' ? key : `${path}.${key}`
    const isUnknown = unknown.has(inner)
    const is = isUnknown ? 'unknown' : 'duplicate'
    if (seen.has(key) !== isUnknown && found.length < 100) found.push({ path: inner, is })
    seen.add(key)
    at = skipSpace(text, end + 1)
    const inside = isUnknown ? { ...walking, found: [] } : walking
    at = skipSpace(text, walk(inside, at + 1, inner))
    if (text[at] === '}') return at + 1
    at = skipSpace(text, at + 1)
  }
  return at
}
