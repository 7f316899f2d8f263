import type { Json, JsonObject } from '../../../kube/index.ts'
import { type Fault, invalidValue, required } from '../faults.ts'
import { dns1035Label } from '../validation/names.ts'
import { child } from './field-path.ts'
import { holdsMore, type Schema } from './schema.ts'

/** Faults of objects within objects (`x-kubernetes-embedded-resource`): they must say what they are. */
export function embeddedFaults(value: Json, schema: Schema): Fault[] {
  const faults: Fault[] = []
  checkEmbedded(value, schema, '', faults)
  return faults
}

function checkEmbedded(value: Json | undefined, schema: Schema, path: string, faults: Fault[]): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    const { items } = schema
    if (items && holdsMore(items))
      for (const [index, item] of value.entries()) checkEmbedded(item, items, `${path}[${index}]`, faults)
    return
  }
  if (schema['x-kubernetes-embedded-resource']) {
    checkTypeField(value, 'apiVersion', path, faults)
    checkTypeField(value, 'kind', path, faults)
  }
  for (const name of Object.keys(value)) {
    const { properties, additionalProperties } = schema
    const isField = properties !== undefined && Object.hasOwn(properties, name)
    const inner = isField ? properties[name] : additionalProperties
    if (typeof inner === 'object' && holdsMore(inner))
      checkEmbedded(value[name], inner, isField ? child(path, name) : `${path}[${name}]`, faults)
  }
}

function checkTypeField(
  object: JsonObject,
  name: 'apiVersion' | 'kind',
  path: string,
  faults: Fault[],
): void {
  const at = child(path, name)
  const value = object[name]
  if (value === undefined) {
    faults.push(required(at, 'must not be empty'))
  } else if (typeof value !== 'string') {
    faults.push(invalidValue(at, value, 'must be a string'))
  } else if (value === '') {
    faults.push(invalidValue(at, value, 'must not be empty'))
  } else if (name === 'apiVersion' && value.split('/').length > 2) {
    faults.push(invalidValue(at, value, `unexpected GroupVersion string: ${value}`))
  } else if (name === 'kind') {
    const wrong = dns1035Label(value.toLowerCase())
    if (wrong.length > 0) {
      const why = `may have mixed case, but should otherwise match: ${wrong.join(',')}`
      faults.push(invalidValue(at, value, why))
    }
  }
}
