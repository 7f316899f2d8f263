import type { Catalog, ResourceDefinition } from '../../registry/index.ts'
import {
  builtinSchemas,
  type Descriptions,
  referredName,
  type Schema,
  schemaFor,
  schemaName,
} from '../../registry/schema/index.ts'
import { type ObjectFields, withEmbeddedFields } from './custom-schemas.ts'

/** What the documents are made of: part of {@link Catalog}. */
export type OpenApiSource = Pick<Catalog, 'version' | 'definitions' | 'virtualResources' | 'subresources'>

export interface GroupVersion {
  readonly group: string
  readonly version: string
}

export interface GroupVersionKind extends GroupVersion {
  readonly kind: string
}

const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

export const metaPrefix = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** Schemas by their OpenAPI names, of built-in kinds and of those that CRDs define. */
export class Kinds {
  readonly #custom = new Map<string, Schema>()
  readonly #customNames = new Map<string, string>()
  readonly #descriptions: Descriptions

  constructor(source: OpenApiSource, descriptions: Descriptions) {
    this.#descriptions = descriptions
    for (const definition of source.definitions()) if (definition.isCustom) this.#addCustom(definition)
  }

  /** The name of a kind's schema; undefined when nothing is known of the kind. */
  nameOf({ group, version, kind }: GroupVersionKind): string | undefined {
    return this.#customNames.get(`${group}/${version}/${kind}`) ?? schemaName(group, version, kind)
  }

  schema(name: string): Schema {
    if (name === intOrStringName) return intOrString
    return this.#custom.get(name) ?? builtinSchemas.resolve(reference(name))
  }

  isCustom(name: string): boolean {
    return this.#custom.has(name)
  }

  /** Of a field, or of the type itself for the empty field. */
  description(name: string, field: string): string | undefined {
    return this.#descriptions.get(name)?.[field]
  }

  /** The names given and all that they refer to, at any depth, sorted. */
  closure(names: Iterable<string>): string[] {
    const found = new Set<string>()
    const waiting = [...names]
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (found.has(name)) continue
      found.add(name)
      references(this.schema(name), { into: waiting, isCustom: this.isCustom(name) })
    }
    return [...found].sort()
  }

  /** Of every object, in the words of a built-in kind. */
  #objectFields(): ObjectFields {
    const metadata = schemaFor('', 'v1', 'ConfigMap').properties?.['metadata'] ?? {}
    return {
      apiVersion: described({ type: 'string' }, this.description(configMap, 'apiVersion')),
      kind: described({ type: 'string' }, this.description(configMap, 'kind')),
      metadata: described(metadata, this.description(configMap, 'metadata')),
    }
  }

  #addCustom(definition: ResourceDefinition): void {
    const { group, version, kind } = definition
    const stem = [...group.split('.').reverse(), version].join('.')
    const names = { item: `${stem}.${kind}`, list: `${stem}.${kind}List` }
    const fields = this.#objectFields()
    const own = withEmbeddedFields(definition.schema, fields)
    this.#custom.set(names.item, {
      ...own,
      properties: { ...own.properties, ...fields },
      'x-kubernetes-group-version-kind': [{ group, version, kind }],
    })
    this.#custom.set(names.list, {
      type: 'object',
      description: `${kind}List is a list of ${kind}`,
      required: ['items'],
      properties: {
        apiVersion: { type: 'string' },
        items: { type: 'array', items: reference(names.item) },
        kind: { type: 'string' },
        metadata: reference(`${metaPrefix}.ListMeta`),
      },
      'x-kubernetes-group-version-kind': [{ group, version, kind: `${kind}List` }],
    })
    this.#customNames.set(`${group}/${version}/${kind}`, names.item)
    this.#customNames.set(`${group}/${version}/${kind}List`, names.list)
  }
}

export const intOrStringName = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
const intOrString: Schema = {
  description: 'IntOrString is a type that can hold an int32 or a string.',
  type: 'string',
  format: 'int-or-string',
}
const configMap = 'io.k8s.api.core.v1.ConfigMap'

function described(schema: Schema, description: string | undefined): Schema {
  return description === undefined ? schema : { ...schema, description }
}

interface Collecting {
  readonly into: string[]
  readonly isCustom: boolean
}

function references(schema: Schema, collecting: Collecting): void {
  const name = nameReferredTo(schema, collecting.isCustom)
  if (name !== undefined) collecting.into.push(name)
  for (const property of Object.values(schema.properties ?? {})) references(property, collecting)
  if (schema.items) references(schema.items, collecting)
  if (typeof schema.additionalProperties === 'object') references(schema.additionalProperties, collecting)
  for (const inner of [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])])
    references(inner, collecting)
}

/** What a schema refers to in documents, where the built-in kinds have a type for "a number or a text" too. */
export function nameReferredTo(schema: Schema, isCustom: boolean): string | undefined {
  const isNamed = schema['x-kubernetes-int-or-string'] && !isCustom
  return isNamed ? intOrStringName : referredName(schema)
}
