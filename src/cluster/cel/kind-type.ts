import { unescapeField } from './names.ts'
import type { ValueSchema } from './schema.ts'
import { bool, double, dyn, int, listOf, mapOf, string, type Type } from './types.ts'

/** A schema of a kind, which may refer to others by name. */
export interface KindSchema extends ValueSchema {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, KindSchema>>
  readonly additionalProperties?: KindSchema | boolean
  readonly items?: KindSchema
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
}

const scalars: Readonly<Record<string, Type>> = { boolean: bool, integer: int, number: double }
/** Texts that stand for something else: policies see the text, schemas mean the other. */
const ambiguous = new Set(['date', 'date-time', 'duration', 'byte'])

/**
 * The type of objects of a kind, by its published schema, for telling who writes an expression what cannot be right. What
 * the schema leaves open is taken for anything.
 */
export function typeOfKind(schema: KindSchema, resolve: (schema: KindSchema) => KindSchema): Type {
  const known = resolve(schema)
  if (known['x-kubernetes-int-or-string'] || known['x-kubernetes-preserve-unknown-fields']) return dyn
  if (known.type === 'string') return ambiguous.has(known.format ?? '') ? dyn : string
  if (known.type === 'array') return listOf(typeOfKind(known.items ?? {}, resolve))
  if (known.type !== 'object') return scalars[known.type ?? ''] ?? dyn
  const { properties, additionalProperties } = known
  if (typeof additionalProperties === 'object')
    return mapOf(string, typeOfKind(additionalProperties, resolve))
  if (properties === undefined) return dyn
  return {
    kind: 'object',
    fields: (written) => {
      const name = [written, unescapeField(written)].find((one) => Object.hasOwn(properties, one))
      const property = name === undefined ? undefined : properties[name]
      return property && typeOfKind(property, resolve)
    },
  }
}
