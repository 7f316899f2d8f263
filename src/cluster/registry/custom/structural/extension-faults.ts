import { type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import type { Schema } from '../../schema/schema.ts'

/**
 * Faults of what Kubernetes adds to OpenAPI at one place of a schema, except its rules
 * (https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/#JSONSchemaProps).
 */
export function extensionFaults(schema: Schema, path: string): Fault[] {
  const faults: Fault[] = []
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    faults.push(
      invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'),
    )
  }
  if (schema['x-kubernetes-embedded-resource']) {
    if (schema.type !== 'object') {
      faults.push(
        schema.type
          ? invalidValue(
              `${path}.type`,
              schema.type,
              'must be object if x-kubernetes-embedded-resource is true',
            )
          : required(`${path}.type`, 'must be object if x-kubernetes-embedded-resource is true'),
      )
    }
    if (!schema['x-kubernetes-preserve-unknown-fields'] && !schema.properties) {
      faults.push(
        required(
          `${path}.properties`,
          'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
        ),
      )
    }
  }
  if (schema['x-kubernetes-int-or-string'] && schema.type) {
    faults.push(
      invalidValue(`${path}.type`, schema.type, 'must be empty if x-kubernetes-int-or-string is true'),
    )
  }
  faults.push(...listTypeFaults(schema, path))
  const mapType = schema['x-kubernetes-map-type']
  if (mapType !== undefined) {
    if (!['atomic', 'granular'].includes(mapType)) {
      faults.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
    }
    if (schema.type !== 'object') {
      faults.push(
        invalidValue(
          `${path}.type`,
          schema.type ?? '',
          'must be object if x-kubernetes-map-type is specified',
        ),
      )
    }
  }
  return faults
}

function listTypeFaults(schema: Schema, path: string): Fault[] {
  const faults: Fault[] = []
  const kind = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (kind === undefined) {
    if (keys.length > 0)
      faults.push(
        required(`${path}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'),
      )
    return faults
  }
  if (!['atomic', 'set', 'map'].includes(kind)) {
    faults.push(notSupported(`${path}.x-kubernetes-list-type`, kind, ['atomic', 'set', 'map']))
  }
  if (schema.type !== 'array') {
    faults.push(
      schema.type
        ? invalidValue(`${path}.type`, schema.type, 'must be array if x-kubernetes-list-type is specified')
        : required(`${path}.type`, 'must be array if x-kubernetes-list-type is specified'),
    )
  }
  if (kind !== 'map') {
    const { items } = schema
    if (keys.length > 0) {
      const why = 'must be map if x-kubernetes-list-map-keys is non-empty'
      faults.push(invalidValue(`${path}.x-kubernetes-list-type`, kind, why))
    }
    if (kind === 'set' && schema.type === 'array' && items !== undefined)
      faults.push(...setItemFaults(items, path))
    return faults
  }
  return [...faults, ...mapKeyFaults(schema, path)]
}

/** Items of a map are told apart by their keys, so each must have them. */
function mapKeyFaults(schema: Schema, path: string): Fault[] {
  const { items } = schema
  const faults: Fault[] = []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const keysAt = `${path}.x-kubernetes-list-map-keys`
  if (keys.length === 0) {
    faults.push(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'))
  }
  if (items === undefined) {
    faults.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'))
    return faults
  }
  if (items.type !== 'object') {
    faults.push(
      invalidValue(
        `${path}.items.type`,
        items.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    )
    return faults
  }
  const seen = new Set<string>()
  for (const key of keys) {
    const property = items.properties?.[key]
    if (property === undefined) {
      faults.push(invalidValue(keysAt, keys, 'entries must all be names of item properties'))
    } else if (property.type === 'array' || property.type === 'object') {
      faults.push(
        invalidValue(
          `${path}.items.properties[${key}].type`,
          items.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      )
    }
    if (seen.has(key)) faults.push(invalidValue(keysAt, keys, 'must not contain duplicate entries'))
    seen.add(key)
    if (property === undefined) continue
    if (property.default === undefined && !items.required?.includes(key)) {
      faults.push(
        required(
          `${path}.items.properties[${key}].default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      )
    }
  }
  return faults
}

/** Items of a set are compared as a whole. */
function setItemFaults(items: Schema, path: string): Fault[] {
  const faults: Fault[] = []
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const listType = items['x-kubernetes-list-type']
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
    faults.push(invalidValue(`${path}.items.x-kubernetes-list-type`, listType, why))
  }
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    faults.push(invalidValue(`${path}.items.x-kubernetes-map-type`, listType ?? 'null', why))
  }
  return faults
}
