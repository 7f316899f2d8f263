import type { Json, JsonObject } from '../../../kube/index.ts'
import type { Schema } from './schema.ts'

/**
 * Fills in, in place, the defaults of a custom resource's schema, and drops nulls where the schema allows none: an
 * absent field and a null that may not be are the same to Kubernetes.
 */
export function applyDefaults(value: Json | undefined, schema: Schema): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    const { items } = schema
    if (!items) return
    for (const [index, item] of value.entries()) {
      if (isBareNull(item, items) && items.default !== undefined)
        value[index] = structuredClone(items.default)
      applyDefaults(value[index], items)
    }
    return
  }
  applyToObject(value, schema)
}

function applyToObject(object: JsonObject, schema: Schema): void {
  const { properties, additionalProperties } = schema
  for (const [name, property] of Object.entries(properties ?? {})) {
    const isOwn = Object.hasOwn(object, name)
    const isAbsent = !isOwn || object[name] === undefined || isBareNull(object[name], property)
    if (isAbsent && property.default !== undefined) define(object, name, structuredClone(property.default))
    else if (isOwn && isAbsent) delete object[name]
    if (Object.hasOwn(object, name)) applyDefaults(object[name], property)
  }
  if (typeof additionalProperties !== 'object') return
  for (const name of Object.keys(object)) {
    if (properties && Object.hasOwn(properties, name)) continue
    if (isBareNull(object[name], additionalProperties)) {
      if (additionalProperties.default === undefined) delete object[name]
      else define(object, name, structuredClone(additionalProperties.default))
    }
    applyDefaults(object[name], additionalProperties)
  }
}

/** Sets a property as data whatever its name: `__proto__` must not become the prototype. */
function define(object: JsonObject, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function isBareNull(value: Json | undefined, schema: Schema): boolean {
  return value === null && schema.nullable !== true
}
