/** What a schema says about values, as far as expressions care: the subset of OpenAPI that CRDs describe objects with. */
export interface ValueSchema {
  readonly type?: string
  readonly format?: string
  readonly properties?: Readonly<Record<string, ValueSchema>>
  readonly additionalProperties?: ValueSchema | boolean
  readonly items?: ValueSchema
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly maxLength?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}
