import type { Json, JsonObject, KubeObject } from '../../../kube/index.ts'
import { type Fault, invalidValue, required, shown } from '../faults.ts'
import { validateMetadata } from '../validation/metadata.ts'
import { dns1035Label } from '../validation/names.ts'
import { DecodingError, decodeValue } from './decode-value.ts'
import { kindOf } from './mismatch-words.ts'
import { child } from './field-path.ts'
import type { Schema } from './schema.ts'
import type { Shape } from './shape.ts'

/** Objects that a custom resource holds: where its schema says `x-kubernetes-embedded-resource`. */
type Visit = (object: JsonObject, path: string) => void

/**
 * Gives the metadata of embedded objects the form that all metadata has, in place.
 *
 * @returns the paths of fields that metadata does not have: `spec.template.metadata.nonsense`.
 * @throws {DecodingError} for metadata of a wrong type.
 */
export function decodeEmbedded(body: JsonObject, schema: Schema, metadata: Shape): string[] {
  const unknown: string[] = []
  eachEmbedded(body, schema, '', (object, path) => {
    const value = object['metadata']
    if (value === undefined) return
    if (value === null) {
      object['metadata'] = {}
      return
    }
    const at = child(path, 'metadata')
    // Decoding changes it in place; a refusal shows it as it was.
    const given = shown(value)
    try {
      if (typeof value !== 'object' || Array.isArray(value))
        throw new DecodingError(`json: cannot unmarshal ${kindOf(value)} into Go value of type v1.ObjectMeta`)
      unknown.push(...decodeValue(value, metadata).unknown.map((field) => `${at}.${field}`))
    } catch (error) {
      if (!(error instanceof DecodingError)) throw error
      throw new DecodingError(`${at}: Invalid value: ${given}: ${error.message}`)
    }
  })
  return unknown
}

/** What is wrong with embedded objects: they say what they are, and their metadata is as everywhere. */
export function checkEmbedded(body: JsonObject, schema: Schema): Fault[] {
  const faults: Fault[] = []
  eachEmbedded(body, schema, '', (object, path) => {
    checkTypeField(object, 'apiVersion', path, faults)
    checkTypeField(object, 'kind', path, faults)
    faults.push(...metadataFaults(object, path))
  })
  return faults
}

function metadataFaults(object: JsonObject, path: string): Fault[] {
  const { metadata } = object as unknown as Partial<KubeObject>
  if (!metadata) return []
  // What is embedded need not have a name, nor a namespace.
  const named = { metadata: { ...metadata, name: metadata.name || 'nameless' } }
  const rules = { namespaced: Boolean(metadata.namespace), nameRule: 'path-segment', isCustom: true } as const
  return validateMetadata(named, rules).map((fault) => ({ ...fault, field: child(path, fault.field ?? '') }))
}

const holders = new WeakMap<Schema, boolean>()

/** Most schemas have no embedded objects anywhere: their values need no walk. */
function holdsEmbedded(schema: Schema): boolean {
  const known = holders.get(schema)
  if (known !== undefined) return known
  const { properties = {}, additionalProperties, items } = schema
  const inner = [...Object.values(properties), additionalProperties, items]
  const holds =
    schema['x-kubernetes-embedded-resource'] === true ||
    inner.some((one) => typeof one === 'object' && holdsEmbedded(one))
  holders.set(schema, holds)
  return holds
}

function eachEmbedded(value: Json | undefined, schema: Schema, path: string, visit: Visit): void {
  if (typeof value !== 'object' || value === null || !holdsEmbedded(schema)) return
  if (Array.isArray(value)) {
    const { items } = schema
    if (items)
      for (const [index, item] of value.entries()) eachEmbedded(item, items, `${path}[${index}]`, visit)
    return
  }
  if (schema['x-kubernetes-embedded-resource']) visit(value, path)
  for (const name of Object.keys(value)) {
    const { properties, additionalProperties } = schema
    const isField = properties !== undefined && Object.hasOwn(properties, name)
    const inner = isField ? properties[name] : additionalProperties
    if (typeof inner === 'object')
      eachEmbedded(value[name], inner, isField ? child(path, name) : `${path}[${name}]`, visit)
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
