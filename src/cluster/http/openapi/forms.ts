import type { Schema } from '../../registry/schema/index.ts'
import type { Json, JsonObject } from '../../../kube/index.ts'
import { rootAsVersion2 } from './custom-schemas.ts'
import { intOrStringName, type Kinds, nameReferredTo } from './kinds.ts'

export type Form = 'v2' | 'v3'

/** A named schema as a document of the given version has it, with its descriptions. */
export function namedSchema(kinds: Kinds, name: string, form: Form): JsonObject {
  const describe = (field: string): string | undefined => kinds.description(name, field)
  const isCustom = kinds.isCustom(name)
  const schema = isCustom && form === 'v2' ? rootAsVersion2(kinds.schema(name)) : kinds.schema(name)
  const written = write(schema, { form, isCustom }, describe)
  const description = schema.description ?? describe('')
  if (description && written['description'] === undefined) written['description'] = description
  // Version 2 knows no alternatives; there it is a text.
  const alternative = name === intOrStringName ? 'integer' : name.endsWith('.Quantity') ? 'number' : undefined
  if (alternative && form === 'v3') {
    delete written['type']
    written['oneOf'] = [{ type: alternative }, { type: 'string' }]
  }
  return written
}

/** Extensions that documents show; `x-go-*` is for this server alone. */
const extensions = [
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-validations',
  'x-kubernetes-group-version-kind',
] as const

const plain = [
  'type',
  'format',
  'title',
  'description',
  'required',
  'default',
  'enum',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'example',
] as const

interface Writing {
  readonly form: Form
  readonly isCustom: boolean
}

function write(
  schema: Schema,
  writing: Writing,
  describe: (field: string) => string | undefined,
): JsonObject {
  const { form, isCustom } = writing
  const result: JsonObject = {}
  for (const key of [...plain, ...extensions]) {
    const value = schema[key]
    // Arrays of the schema are readonly; the document is only ever turned into text.
    if (value !== undefined) result[key] = value as Json
  }
  const name = nameReferredTo(schema, isCustom)
  if (name !== undefined) {
    delete result['x-kubernetes-int-or-string']
    writeReference(result, name, form)
  }
  const inner = (one: Schema): JsonObject => write(one, writing, () => undefined)
  if (schema.properties) {
    result['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([field, property]) => {
        const description = property.description ?? describe(field)
        return [field, { ...(description !== undefined && { description }), ...inner(property) }]
      }),
    )
  }
  if (schema.items) result['items'] = inner(schema.items)
  if (typeof schema.additionalProperties === 'object')
    result['additionalProperties'] = inner(schema.additionalProperties)
  else if (schema.additionalProperties === true && form === 'v3') result['additionalProperties'] = true
  if (form === 'v3') writeComposed(result, schema, inner)
  return result
}

/** Next to a reference version 3 allows nothing else, so what is said of the field goes around it. */
function writeReference(result: JsonObject, name: string, form: Form): void {
  if (form === 'v2') result['$ref'] = `#/definitions/${name}`
  else result['allOf'] = [{ $ref: `#/components/schemas/${name}` }]
}

function writeComposed(result: JsonObject, schema: Schema, inner: (one: Schema) => JsonObject): void {
  if (schema.nullable) result['nullable'] = true
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) {
    // Built-in unions are described by words alone, as Kubernetes does.
    const alternatives = schema[key]?.filter((one) => one.$ref === undefined)
    if (alternatives && alternatives.length > 0 && alternatives.length === schema[key]?.length)
      result[key] = alternatives.map(inner)
  }
  if (schema.not) result['not'] = inner(schema.not)
}
