/**
 * The JSONPath of printer columns and selectable fields
 * (https://kubernetes.io/docs/reference/kubectl/jsonpath/), as far as it makes sense there: fields, indices, slices,
 * wildcards and filters.
 */

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | {
      readonly kind: 'slice'
      readonly from: number | undefined
      readonly to: number | undefined
      readonly by: number
    }
  | { readonly kind: 'index'; readonly at: number }
  | { readonly kind: 'all' }
  | {
      readonly kind: 'filter'
      readonly path: readonly Step[]
      readonly operator: string
      readonly literal: unknown
    }
  | { readonly kind: 'exists'; readonly path: readonly Step[] }

export type JsonPath = readonly Step[]

/** A text that is no JSONPath. */
export class JsonPathError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonPathError'
  }
}

const longest = 4096

/** Reads `.status.conditions[?(@.type=="Ready")].status`. @throws {JsonPathError} */
export function parseJsonPath(text: string): JsonPath {
  if (text.length > longest) throw new JsonPathError('path is too long')
  return new PathReader(text).read()
}

class PathReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length) steps.push(this.#step())
    return steps
  }

  #step(): Step {
    if (this.#text[this.#at] === '[') return this.#bracket()
    if (this.#text[this.#at] !== '.')
      throw new JsonPathError(`unrecognized character in action: ${this.#rest(1)}`)
    this.#at++
    if (this.#text[this.#at] === '.') throw new JsonPathError('recursive descent is not supported')
    if (this.#text[this.#at] === '*') {
      this.#at++
      return { kind: 'all' }
    }
    const begin = this.#at
    let name = ''
    while (this.#at < this.#text.length) {
      const one = this.#text[this.#at] ?? ''
      if (one === '.' || one === '[' || one === ']' || one === ' ') break
      if (one === '\\') this.#at++
      name += this.#text[this.#at++] ?? ''
    }
    if (this.#at === begin) throw new JsonPathError(`unexpected end of path at ${begin}`)
    return { kind: 'field', name }
  }

  #bracket(): Step {
    const close = this.#closing()
    const inside = this.#text.slice(this.#at + 1, close).trim()
    this.#at = close + 1
    if (inside === '*') return { kind: 'all' }
    const quoted = /^'((?:[^'\\]|\\.)*)'$|^"((?:[^"\\]|\\.)*)"$/.exec(inside)
    if (quoted !== null)
      return { kind: 'field', name: (quoted[1] ?? quoted[2] ?? '').replace(/\\(.)/g, '$1') }
    if (/^-?\d{1,9}$/.test(inside)) return { kind: 'index', at: Number(inside) }
    const slice = /^(-?\d{1,9})?:(-?\d{1,9})?(?::(\d{1,9}))?$/.exec(inside)
    if (slice !== null) {
      const number = (part: string | undefined): number | undefined =>
        part === undefined ? undefined : Number(part)
      return {
        kind: 'slice',
        from: number(slice[1]),
        to: number(slice[2]),
        by: Math.max(1, Number(slice[3] ?? 1)),
      }
    }
    const filter = /^\?\((.*)\)$/s.exec(inside)?.[1]
    if (filter !== undefined) return filterStep(filter.trim())
    throw new JsonPathError(`invalid array index ${inside}`)
  }

  /** Where the bracket that opens here closes, quotes and inner brackets aside. */
  #closing(): number {
    let depth = 0
    let quote = ''
    for (let at = this.#at; at < this.#text.length; at++) {
      const one = this.#text[at] ?? ''
      if (quote !== '') {
        if (one === '\\') at++
        else if (one === quote) quote = ''
      } else if (one === "'" || one === '"') quote = one
      else if (one === '[') depth++
      else if (one === ']' && --depth === 0) return at
    }
    throw new JsonPathError('unterminated array')
  }

  #rest(count: number): string {
    return this.#text.slice(this.#at, this.#at + count)
  }
}

function filterStep(text: string): Step {
  const match = /^@((?:[^=!<>"']|'[^']*'|"[^"]*")*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s.exec(text)
  if (match === null) throw new JsonPathError(`invalid filter ${text}`)
  const path = parseJsonPath((match[1] ?? '').trim())
  const [, , operator, literal] = match
  if (operator === undefined || literal === undefined) return { kind: 'exists', path }
  return { kind: 'filter', path, operator, literal: literalOf(literal.trim()) }
}

function literalOf(text: string): unknown {
  const quoted = /^'(.*)'$|^"(.*)"$/s.exec(text)
  if (quoted !== null) return quoted[1] ?? quoted[2] ?? ''
  if (text === 'true' || text === 'false') return text === 'true'
  const number = Number(text)
  if (text === '' || Number.isNaN(number)) throw new JsonPathError(`unrecognized literal ${text}`)
  return number
}

/** Every value that the path leads to; none when a field on the way is missing. */
export function findAll(path: JsonPath, root: unknown): unknown[] {
  let values: unknown[] = [root]
  for (const step of path) values = values.flatMap((value) => next(step, value))
  return values
}

function next(step: Step, value: unknown): unknown[] {
  switch (step.kind) {
    case 'field':
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : []
    case 'index': {
      if (!Array.isArray(value)) return []
      const at = step.at < 0 ? value.length + step.at : step.at
      return at >= 0 && at < value.length ? [value[at]] : []
    }
    case 'slice': {
      if (!Array.isArray(value)) return []
      return value.slice(step.from, step.to).filter((_, at) => at % step.by === 0)
    }
    case 'all':
      if (Array.isArray(value)) return value
      return isObject(value) ? Object.values(value) : []
    case 'exists':
      return elements(value).filter((one) => findAll(step.path, one).length > 0)
    case 'filter':
      return elements(value).filter((one) => {
        const [found] = findAll(step.path, one)
        return found !== undefined && compares(found, step.operator, step.literal)
      })
  }
}

function elements(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function compares(found: unknown, operator: string, literal: unknown): boolean {
  if (operator === '==') return found === literal
  if (operator === '!=') return found !== literal
  const isOrdered =
    (typeof found === 'number' && typeof literal === 'number') ||
    (typeof found === 'string' && typeof literal === 'string')
  if (!isOrdered) return false
  const [left, right] = [found, literal] as [number, number]
  if (operator === '<') return left < right
  if (operator === '<=') return left <= right
  return operator === '>' ? left > right : left >= right
}
