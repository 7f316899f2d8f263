import { builtinSchemas, referredName } from './builtin.ts'
import type { Schema } from './schema.ts'

/** What Go makes of one JSON value. `goType` is how its decoding errors call the type. */
export type Shape =
  | StructShape
  | { readonly is: 'map'; readonly goType: string; readonly value: Shape }
  | { readonly is: 'list'; readonly goType: string; readonly item: Shape }
  /** An object of the one shape, or else the other (`JSONSchemaPropsOrBool`). */
  | { readonly is: 'either'; readonly goType: string; readonly object: Shape; readonly other: Shape }
  | { readonly is: Scalar; readonly goType: string }

export type Scalar =
  | 'string'
  | 'bytes'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'float'
  | 'quantity'
  | 'time'
  | 'micro-time'
  | 'int-or-string'
  | 'any'

export interface StructShape {
  readonly is: 'struct'
  readonly goType: string
  /** Without the package: what errors about its fields begin with. */
  readonly name: string
  readonly fields: ReadonlyMap<string, Field>
}

export interface Field {
  readonly shape: Shape
  /** False for `omitempty` without a pointer: a zero value is lost on the way through the server. */
  readonly keepsZero: boolean
}

// Built once per schema object: walking plain objects with `$ref`s for every request would cost more than the decoding.
const shapes = new WeakMap<Schema, Shape>()

/** The shape of a built-in kind. */
export function shapeOf(schema: Schema, kind: string): Shape {
  return compile(schema, `v1.${kind}`)
}

const byName: Readonly<Record<string, Scalar>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'micro-time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'any',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'any',
}

const goNames: Readonly<Partial<Record<Scalar, string>>> = {
  quantity: 'resource.Quantity',
  time: 'v1.Time',
  'micro-time': 'v1.MicroTime',
}

function compile(schema: Schema, typeName: string): Shape {
  const name = referredName(schema)
  if (name !== undefined) {
    const scalar = byName[name]
    if (scalar) return { is: scalar, goType: goNames[scalar] ?? 'interface {}' }
    return compile(builtinSchemas.resolve(schema), `v1.${name.slice(name.lastIndexOf('.') + 1)}`)
  }
  const known = shapes.get(schema)
  if (known) return known
  const shape = schema.properties ? structShape(schema, typeName) : otherShape(schema, typeName)
  shapes.set(schema, shape)
  return shape
}

function structShape(schema: Schema, goType: string): StructShape {
  const fields = new Map<string, Field>()
  const shape: StructShape = { is: 'struct', goType, name: goType.slice(goType.indexOf('.') + 1), fields }
  // Known before its fields are: JSONSchemaProps contains itself.
  shapes.set(schema, shape)
  const required = new Set(schema.required)
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const inner = compile(field, '')
    const shapeOfField = field['x-go-type'] ? { ...inner, goType: field['x-go-type'] } : inner
    fields.set(name, {
      shape: shapeOfField,
      keepsZero: required.has(name) || field['x-go-pointer'] === true,
    })
  }
  return shape
}

function otherShape(schema: Schema, typeName: string): Shape {
  if (schema['x-kubernetes-int-or-string']) return { is: 'int-or-string', goType: 'intstr.IntOrString' }
  const [object, other] = schema.anyOf ?? []
  if (object && other)
    return { is: 'either', goType: typeName, object: compile(object, ''), other: compile(other, '') }
  switch (schema.type) {
    case 'array': {
      const item = compile(schema.items ?? {}, '')
      return { is: 'list', goType: `[]${item.goType}`, item }
    }
    case 'object': {
      if (typeof schema.additionalProperties === 'object') {
        const value = compile(schema.additionalProperties, '')
        return { is: 'map', goType: `map[string]${value.goType}`, value }
      }
      // A type without fields, such as the status subresource of a CRD.
      return {
        is: 'struct',
        goType: typeName,
        name: typeName.slice(typeName.indexOf('.') + 1),
        fields: new Map(),
      }
    }
    case 'boolean':
      return { is: 'boolean', goType: 'bool' }
    case 'integer':
      return schema.format === 'int64' ? { is: 'int64', goType: 'int64' } : { is: 'int32', goType: 'int32' }
    case 'number':
      return { is: 'float', goType: 'float64' }
    case 'string':
      return schema.format === 'byte'
        ? { is: 'bytes', goType: '[]uint8' }
        : { is: 'string', goType: 'string' }
    default:
      return { is: 'any', goType: 'interface {}' }
  }
}
