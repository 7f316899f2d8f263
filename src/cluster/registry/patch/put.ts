import type { Json, JsonObject } from '../../../kube/index.ts'

/** Sets a property as data whatever its name: an assignment to `__proto__` would replace the prototype instead. */
export function put(object: JsonObject, key: string, value: Json | undefined): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}

/** The own property, so that `constructor` and its like are as absent as they should be. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A copy that shares nothing. */
export function copy<T extends Json | undefined>(value: T): T
export function copy(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => copy(item))
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const key of Object.keys(value)) put(result, key, copy(value[key]))
  return result
}

/** Whether two JSON values are the same, members in any order. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, index) => isEqual(item, b[index]))
  }
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
}
