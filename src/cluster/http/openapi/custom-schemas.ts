import type { Schema } from '../../registry/schema/index.ts'

/** What documents say of the fields that every object has. */
export type ObjectFields = Readonly<Record<'apiVersion' | 'kind' | 'metadata', Schema>>

/** Adds to objects within an object what every object has; they are marked by `x-kubernetes-embedded-resource`. */
export function withEmbeddedFields(schema: Schema, fields: ObjectFields): Schema {
  const inner = mapInner(schema, (one) => withEmbeddedFields(one, fields))
  if (!schema['x-kubernetes-embedded-resource']) return inner
  const required = inner.required ?? []
  return {
    ...inner,
    properties: { ...inner.properties, ...fields },
    required: [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))],
  }
}

/**
 * A custom schema as version 2 can say it, without what makes kubectl's validation refuse objects that the server takes:
 * alternatives, what is inside of values that may be null, and known fields beside unknown ones.
 */
export function asVersion2(schema: Schema): Schema {
  const { type, nullable, allOf: _all, anyOf: _any, oneOf: _one, not: _not, ...rest } = schema
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  if (nullable || isOpen) {
    const { items: _items, properties: _properties, ...outside } = rest
    const isTyped = !nullable && type !== undefined && type !== 'object' && type !== 'array'
    return { ...mapInner(outside, asVersion2), ...(isTyped && { type }) }
  }
  const isTyped = type !== undefined && (type !== 'array' || rest.items !== undefined)
  return { ...(isTyped && { type }), ...mapInner(withoutNullable(rest), asVersion2) }
}

/** The root of {@link asVersion2}: of an object of unknown fields version 2 says that it is one, and nothing more. */
export function rootAsVersion2(schema: Schema): Schema {
  if (!schema['x-kubernetes-preserve-unknown-fields']) return asVersion2(schema)
  const gvk = schema['x-kubernetes-group-version-kind']
  return { type: 'object', ...(gvk && { 'x-kubernetes-group-version-kind': gvk }) }
}

/** kubectl takes a null for a missing value, so what may be null cannot be required. */
function withoutNullable(schema: Schema): Schema {
  const { required, ...rest } = schema
  const { additionalProperties } = schema
  const takesNulls = typeof additionalProperties === 'object' && additionalProperties.nullable === true
  const kept = takesNulls ? [] : (required ?? []).filter((name) => !schema.properties?.[name]?.nullable)
  return kept.length > 0 ? { ...rest, required: kept } : rest
}

function mapInner(schema: Schema, change: (inner: Schema) => Schema): Schema {
  const { properties, items, additionalProperties } = schema
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, change(one)])),
    }),
    ...(items && { items: change(items) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: change(additionalProperties) }),
  }
}
