import type { Json } from '../../../kube/index.ts'

/**
 * The OpenAPI v3 subset that Kubernetes uses to describe objects, for built-in kinds and CRDs alike. Built-in types
 * refer to each other by `$ref: '#/components/schemas/<name>'`; a {@link SchemaSet} resolves the names.
 */
export interface Schema {
  readonly $ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly format?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly default?: Json
  readonly enum?: readonly Json[]
  readonly nullable?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly title?: string
  readonly example?: Json
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
  /** Strategic merge patch: `merge`, `replace`, `retainKeys`, joined by commas. */
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  /** Built-in kinds: Go holds the scalar by pointer, so that its zero value is not the same as its absence. */
  readonly 'x-go-pointer'?: boolean
  /** Built-in kinds: a struct that Go holds by value, so that every object has it. */
  readonly 'x-go-value'?: boolean
  /** Built-in kinds: Go type that decoding errors name. */
  readonly 'x-go-type'?: string
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[]
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[]
}

/** A CEL rule of a CRD schema. */
export interface ValidationRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

/** Named schemas that `$ref` may point to. */
export interface SchemaSet {
  /** @throws {Error} when the name is unknown: a broken schema is a bug. */
  resolve(schema: Schema): Schema
}
