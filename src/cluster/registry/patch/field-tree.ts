import { exactJsonText, parseExactJson } from '../../../kube/index.ts'
/**
 * Sets of fields in the very form in which `fieldsV1` has them: `f:name` a field, `k:{...}` an item of a list by its
 * keys, `v:...` an item of a set, and `.` in a node for the node itself. A node without members is a member too. They
 * never change: operations answer with the tree they were given when there is nothing to do, so that the ordinary
 * update of one field touches one path and not every manager's whole set.
 */
export interface FieldTree {
  readonly [element: string]: FieldTree
}

/** A set under construction. */
export interface OpenTree {
  [element: string]: FieldTree
}

export const self: FieldTree = Object.freeze({})
/** The set without members. As a node it would be a member: it stands at the root alone. */
export const noFields: FieldTree = Object.freeze({})

export function isEmpty(tree: FieldTree): boolean {
  for (const _element in tree) return false
  return true
}

/** Whether the node stands for itself and not just for what is below it. */
export function isMember(node: FieldTree): boolean {
  return node['.'] !== undefined || isEmpty(node)
}

/** A node out of its own membership and what is below it; undefined when neither is there. */
function nodeOf(member: boolean, below: FieldTree): FieldTree | undefined {
  if (isEmpty(below)) return member ? self : undefined
  return member ? { '.': self, ...below } : below
}

function below(node: FieldTree): FieldTree {
  if (node['.'] === undefined) return node
  const { '.': _self, ...rest } = node
  return rest
}

/** What is in `a` and not in `b`. A member of `b` takes itself away, not what is below it. */
export function difference(a: FieldTree, b: FieldTree): FieldTree {
  let result: OpenTree | undefined
  for (const element in b) {
    const left = a[element]
    const right = b[element]
    if (element === '.' || left === undefined || right === undefined) continue
    const member = isMember(left)
    const stays = member && !isMember(right)
    const inner = below(left)
    const rest = difference(inner, below(right))
    if (stays === member && rest === inner) continue
    result ??= { ...a }
    const node = nodeOf(stays, rest)
    if (node) result[element] = node
    else delete result[element]
  }
  return result ?? a
}

/** What is in `a` and neither in `b` nor below a member of `b`. */
export function withoutSubtrees(a: FieldTree, b: FieldTree): FieldTree {
  let result: OpenTree | undefined
  for (const element in b) {
    const left = a[element]
    const right = b[element]
    if (element === '.' || left === undefined || right === undefined) continue
    const inner = below(left)
    const rest = isMember(right) ? noFields : withoutSubtrees(inner, below(right))
    const stays = isMember(left) && !isMember(right)
    if (stays === isMember(left) && rest === inner) continue
    result ??= { ...a }
    const node = nodeOf(stays, rest)
    if (node) result[element] = node
    else delete result[element]
  }
  return result ?? a
}

export function union(a: FieldTree, b: FieldTree): FieldTree {
  if (isEmpty(a)) return b
  let result: OpenTree | undefined
  for (const element in b) {
    const left = a[element]
    const right = b[element]
    if (element === '.' || right === undefined) continue
    if (left === undefined) {
      result ??= { ...a }
      result[element] = right
      continue
    }
    const member = isMember(left)
    const inner = below(left)
    const joined = union(inner, below(right))
    const joins = member || isMember(right)
    if (joins === member && joined === inner) continue
    result ??= { ...a }
    result[element] = nodeOf(joins, joined) ?? self
  }
  return result ?? a
}

export function intersection(a: FieldTree, b: FieldTree): FieldTree {
  const result: OpenTree = {}
  for (const element in b) {
    const left = a[element]
    const right = b[element]
    if (element === '.' || left === undefined || right === undefined) continue
    const node = nodeOf(isMember(left) && isMember(right), intersection(below(left), below(right)))
    if (node) result[element] = node
  }
  return result
}

/** Every member's path, those of a level before those below it, in the order in which Kubernetes lists conflicts. */
export function* paths(tree: FieldTree, prefix: readonly string[] = []): Generator<readonly string[]> {
  const elements = Object.keys(tree)
    .filter((element) => element !== '.')
    .sort()
  for (const element of elements) {
    const node = tree[element]
    if (node && isMember(node)) yield [...prefix, element]
  }
  for (const element of elements) {
    const node = tree[element]
    if (node && !isEmpty(node)) yield* paths(node, [...prefix, element])
  }
}

/** `.spec.ports[port=80,protocol="TCP"].name` */
export function shownPath(path: readonly string[]): string {
  let text = ''
  for (const element of path) {
    const rest = element.slice(2)
    if (element.startsWith('f:')) text += `.${rest}`
    else if (element.startsWith('v:')) text += `[=${rest}]`
    else if (element.startsWith('i:')) text += `[${rest}]`
    else text += `[${shownKeys(rest)}]`
  }
  return text
}

function shownKeys(json: string): string {
  const keys: unknown = parseExactJson(json)
  if (typeof keys !== 'object' || keys === null) return json
  return Object.entries(keys)
    .map(([key, value]) => `${key}=${exactJsonText(value)}`)
    .join(',')
}

/**
 * The tree that an entry of `managedFields` holds, undefined when it is none: clients may write what they like there.
 */
export function readTree(value: unknown, depth = 0): FieldTree | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > 200) return undefined
  for (const [element, inner] of Object.entries(value)) {
    if (element === '.') continue
    if (!/^[fvik]:/.test(element)) return undefined
    if (element.startsWith('k:') && !isKeyJson(element.slice(2))) return undefined
    if (!readTree(inner, depth + 1)) return undefined
  }
  // Every level has just been looked at.
  return value as FieldTree
}

function isKeyJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
