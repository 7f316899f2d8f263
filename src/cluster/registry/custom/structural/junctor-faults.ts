import { type Fault, forbiddenField, required } from '../../faults.ts'
import type { Schema } from '../../schema/schema.ts'

/** Fields that say what a value is; only the main tree of a schema may. */
const structureFields = [
  'type',
  'default',
  'description',
  'title',
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'additionalProperties',
] as const

/** The place of the main tree that a schema below a junctor speaks of. */
interface Described {
  /** Undefined where the main tree says nothing. */
  readonly schema: Schema | undefined
  readonly path: string
}

/** Faults below `allOf`, `anyOf`, `oneOf` and `not`: there stand only conditions on what the main tree describes. */
export function junctorFaults(schema: Schema, path: string, main: Described = { schema, path }): Fault[] {
  const below = (['allOf', 'anyOf', 'oneOf'] as const).flatMap((field) =>
    (schema[field] ?? []).flatMap((inner, at) => conditionFaults(inner, `${path}.${field}[${at}]`, main)),
  )
  return schema.not === undefined ? below : [...below, ...conditionFaults(schema.not, `${path}.not`, main)]
}

function conditionFaults(schema: Schema, path: string, main: Described): Fault[] {
  const faults: Fault[] = []
  const isIntOrString = main.schema?.['x-kubernetes-int-or-string'] === true
  for (const field of structureFields) {
    const isAllowed =
      field === 'type' && isIntOrString && (schema.type === 'integer' || schema.type === 'string')
    if (schema[field] !== undefined && !isAllowed) {
      faults.push(forbiddenField(`${path}.${field}`, 'must be undefined to be structural'))
    }
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const described = { schema: main.schema?.properties?.[name], path: `${main.path}.properties[${name}]` }
    const at = `${path}.properties[${name}]`
    if (described.schema === undefined && main.schema?.['x-kubernetes-preserve-unknown-fields'] !== true) {
      faults.push(required(described.path, `because it is defined in ${at}`))
    }
    faults.push(...conditionFaults(inner, at, described))
  }
  if (schema.items !== undefined && !Array.isArray(schema.items)) {
    const described = { schema: main.schema?.items, path: `${main.path}.items` }
    const at = `${path}.items`
    if (described.schema === undefined)
      faults.push(required(described.path, `because it is defined in ${at}`))
    faults.push(...conditionFaults(schema.items, at, described))
  }
  return [...faults, ...junctorFaults(schema, path, main)]
}
