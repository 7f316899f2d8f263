import type { Json, JsonObject } from '../../../kube/index.ts'
import { duplicate, type Fault } from '../faults.ts'
import { child } from './field-path.ts'
import { canonical, isObject } from './same-json.ts'
import { holdsMore, type Schema } from './schema.ts'

/** Faults of lists that are maps or sets (`x-kubernetes-list-type`): they must not hold the same item twice. */
export function listFaults(value: Json, schema: Schema): Fault[] {
  const faults: Fault[] = []
  checkLists(value, schema, '', faults)
  return faults
}

function checkLists(value: Json | undefined, schema: Schema, path: string, faults: Fault[]): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    checkUnique(value, schema, path, faults)
    const { items } = schema
    if (items && holdsMore(items))
      for (const [index, item] of value.entries()) checkLists(item, items, `${path}[${index}]`, faults)
    return
  }
  for (const name of Object.keys(value)) {
    const { properties, additionalProperties } = schema
    const inner = properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (typeof inner === 'object' && holdsMore(inner)) {
      const isKey = !(properties && Object.hasOwn(properties, name))
      checkLists(value[name], inner, isKey ? `${path}[${name}]` : child(path, name), faults)
    }
  }
}

function checkUnique(value: Json[], schema: Schema, path: string, faults: Fault[]): void {
  const kind = schema['x-kubernetes-list-type']
  if (kind !== 'map' && kind !== 'set') return
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  for (const [index, item] of value.entries()) {
    const identity = kind === 'map' && isObject(item) ? keysOf(item, keys) : item
    const text = canonical(identity)
    if (seen.has(text)) faults.push(duplicate(`${path}[${index}]`, identity))
    seen.add(text)
  }
}

function keysOf(item: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, item[key]]))
}
