import { type Literal, literalsIn, tokens } from './literals.ts'
import type { Node } from './syntax.ts'
import { Fields, List, type Value } from './values.ts'

/**
 * Objects that an expression makes by the name of their type, `Object.spec{replicas: 1}`: the parser does not know them,
 * so it is given the source with blanks for such names, and is told afterwards which maps had one.
 */
export interface Named {
  /** As long as the source, so that places are the same. */
  readonly plain: string
  /** Names of types, by where their braces open. */
  readonly names: ReadonlyMap<number, string>
}

const none: ReadonlyMap<number, string> = new Map()

/** Takes the names of types before braces out. */
export function withoutTypeNames(source: string): Named {
  if (!/\w\s*\{/.test(source)) return { plain: source, names: none }
  const names = new Map<number, string>()
  let plain = ''
  let copied = 0
  let path: { readonly start: number; readonly end: number; readonly isOpen: boolean } | undefined
  for (const match of source.matchAll(tokens)) {
    const [token] = match
    if (token.startsWith('//')) continue
    // A text without an end: the parser will say so.
    if (token === '"' || token === "'") break
    const end = match.index + token.length
    const name = token === '{' && path ? source.slice(path.start, path.end).replace(/\s/g, '') : 'in'
    if (path && name !== 'in') {
      names.set(match.index, name)
      plain += source.slice(copied, path.start) + ' '.repeat(path.end - path.start)
      copied = path.end
    }
    if (token === '.' && path) path = { ...path, end, isOpen: true }
    else if (!/^[A-Za-z_]\w*$/.test(token)) path = undefined
    else if (path?.isOpen) path = { ...path, end, isOpen: false }
    else path = { start: match.index, end, isOpen: false }
  }
  return { plain: plain + source.slice(copied), names }
}

const typeNames = new WeakMap<Node, string>()

/** The name of the type before a literal's brace. */
export function typeNameOf(literal: Node): string | undefined {
  return typeNames.get(literal)
}

/** Finds the maps that have names before them. */
export function noteTypeNames(tree: Node, names: Named['names']): void {
  if (names.size === 0) return
  for (const literal of literalsIn(tree)) note(literal, names)
}

function note(literal: Literal, names: Named['names']): void {
  const name = literal.op === 'map' ? names.get(literal.start) : undefined
  if (name !== undefined) typeNames.set(literal, name)
}

/** An object of a named type, with the fields that the expression gives it. */
export class MadeObject extends Fields {
  readonly typeName: string
  readonly #fields: ReadonlyMap<string, Value>
  constructor(typeName: string, fields: ReadonlyMap<string, Value>) {
    super()
    this.typeName = typeName
    this.#fields = fields
  }
  get size(): number {
    return this.#fields.size
  }
  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#fields.get(key) : undefined
  }
  entries(): Iterable<readonly [string, Value]> {
    return this.#fields.entries()
  }
}

/**
 * What is wrong with the names of types inside an object: each must tell where it stands, as `Object.spec.template` in the
 * field `template` of an `Object.spec`.
 */
export function misnamed(object: MadeObject): string[] {
  const faults: string[] = []
  const visit = (value: Value, path: string): void => {
    if (value instanceof MadeObject) {
      if (value.typeName !== path) {
        faults.push(
          `unexpected type name "${value.typeName}", expected "${path}", which matches field name path from root Object type`,
        )
      }
      for (const [field, inner] of value.entries()) visit(inner, `${path}.${field}`)
    } else if (value instanceof List) for (const item of value) visit(item, path)
    else if (value instanceof Fields) for (const [, inner] of value.entries()) visit(inner, path)
  }
  visit(object, object.typeName)
  return faults
}
