import type { Json, JsonObject } from '../../../kube/index.ts'
import type { FieldShape, ListShape } from './field-shape.ts'
import { shownPath } from './field-tree.ts'
import { elementOf } from './field-walk.ts'
import { isObject, own } from './put.ts'

/** What keeps a configuration from being applied: fields that no schema has, wrong types, items without their keys. */
export function typedFaults(object: JsonObject, shape: FieldShape): string[] {
  const faults: string[] = []
  check(object, shape, [], faults)
  return faults
}

/** Faults as one text. */
export function listed(faults: readonly string[]): string {
  return faults.length === 1
    ? (faults[0] ?? '')
    : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`
}

function check(value: Json, shape: FieldShape, path: readonly string[], faults: string[]): void {
  if (value === null) return
  const fault = (text: string): void => {
    const at = shownPath(path)
    faults.push(at === '' ? text : `${at}: ${text}`)
  }
  switch (shape.is) {
    case 'scalar':
      return checkScalar(value, shape.type, fault)
    case 'struct':
    case 'map':
      if (!isObject(value)) return fault(`expected map, got ${goValue(value)}`)
      for (const key of Object.keys(value)) checkMember(value, key, { shape, path, faults })
      return
    case 'list':
      if (!Array.isArray(value)) return fault(`expected list, got ${goValue(value)}`)
      return checkList(value, shape, { path, faults, fault })
    default:
  }
}

function checkMember(
  object: JsonObject,
  key: string,
  at: { shape: FieldShape; path: readonly string[]; faults: string[] },
): void {
  const { shape, path, faults } = at
  const inner = shape.is === 'struct' ? (shape.fields.get(key)?.shape ?? shape.rest) : undefined
  const value = object[key] ?? null
  const innerPath = [...path, `f:${key}`]
  if (shape.is === 'map') check(value, shape.value, innerPath, faults)
  else if (inner) check(value, inner, innerPath, faults)
  else faults.push(`${shownPath(innerPath)}: field not declared in schema`)
}

function checkScalar(value: Json, type: string, fault: (text: string) => void): void {
  const found = typeof value
  if (type === 'string' && found !== 'string')
    fault(`expected string, got &value.valueUnstructured{Value:${goValue(value)}}`)
  else if (type === 'numeric' && found !== 'number' && found !== 'bigint')
    fault(`expected numeric (int or float), got ${goType(value)}`)
  else if (type === 'boolean' && found !== 'boolean') fault(`expected boolean, got &{${goValue(value)}}`)
  else if (type === 'untyped' && found === 'object') fault(`expected any scalar, got &{${goValue(value)}}`)
}

function checkList(
  list: Json[],
  shape: ListShape,
  at: { path: readonly string[]; faults: string[]; fault(text: string): void },
): void {
  const seen = new Set<string>()
  for (const [index, item] of list.entries()) {
    if (shape.mode === 'atomic') {
      check(item, shape.item, [...at.path, `i:${index}`], at.faults)
      continue
    }
    const problem = itemFault(item, shape)
    if (problem) {
      at.fault(`element ${index}: ${problem}`)
      continue
    }
    const element = elementOf(item, shape)
    if (element === undefined) continue
    if (seen.has(element)) at.fault(`duplicate entries for key ${shownPath([element])}`)
    seen.add(element)
    check(item, shape.item, [...at.path, element], at.faults)
  }
}

function itemFault(item: Json, shape: ListShape): string | undefined {
  if (shape.mode === 'set') {
    if (item === null) return 'associative list with null element has no explicit keys'
    return typeof item === 'object' ? 'set elements must be scalars' : undefined
  }
  if (item === null) return 'associative list with keys may not have a null element'
  if (!isObject(item)) return 'associative list with keys may not have non-map elements'
  for (const key of shape.keys)
    if (own(item, key) === undefined && shape.keyDefaults[key] === undefined)
      return `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`
  return undefined
}

function goType(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}'
  return typeof value === 'object'
    ? 'map[string]interface {}'
    : typeof value === 'boolean'
      ? 'bool'
      : 'string'
}

/** A value as Go prints it in these messages. */
function goValue(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`
  if (isObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goValue(value[key] ?? null)}`)
      .join(' ')}]`
  return String(value)
}
