import { type Json, type JsonObject, NumberRangeError, parseExactJson } from '../../../kube/index.ts'
import { kindOf, syntaxErrorOf } from '../schema/index.ts'
import { WebhookFailure } from './caller.ts'

/** What a review is to be. */
export interface ReviewType {
  readonly kind: 'AdmissionReview' | 'ConversionReview'
  readonly group: string
  readonly version: 'v1' | 'v1beta1'
}

const undecodable = (why: string): WebhookFailure => new WebhookFailure('call', why)

/**
 * Reads the text of an answered review. One that does not say what it is passes for what it is to be.
 *
 * @throws {WebhookFailure}
 */
export function decodeReview(text: string, type: ReviewType): JsonObject {
  let value: Json
  try {
    value = parseExactJson(text)
  } catch (error) {
    const why = error instanceof NumberRangeError ? error.message : syntaxErrorOf(text)
    throw undecodable(`couldn't get version/kind; json parse error: ${why}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw undecodable(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOf(value)} into Go value of type v1.TypeMeta`,
    )
  const { kind, apiVersion } = value
  if (kind === undefined && apiVersion === undefined) return value
  if (kind === type.kind && apiVersion === `${type.group}/${type.version}`) return value
  const other = type.version === 'v1' ? 'v1beta1' : 'v1'
  throw undecodable(
    kind === type.kind && apiVersion === `${type.group}/${other}`
      ? `converting (${other}.${kind}) to (${type.version}.${kind}): unknown conversion`
      : `no kind ${JSON.stringify(kind ?? '')} is registered for version ${JSON.stringify(apiVersion ?? '')}`,
  )
}

interface Shapes {
  boolean: boolean
  string: string
  object: JsonObject
  array: Json[]
}

const goTypes = { boolean: 'bool', string: 'string', object: 'object', array: '[]string' } as const

/**
 * A field of a review or of its response; null is as good as nothing.
 *
 * @throws {WebhookFailure} when it is of another type.
 */
export function fieldIn<T extends keyof Shapes>(
  object: JsonObject | undefined,
  field: string,
  type: T,
): Shapes[T] | undefined {
  const value = object?.[field]
  if (value === undefined || value === null) return undefined
  const found = Array.isArray(value) ? 'array' : typeof value
  if (found !== type) throw undecodable(wrongType(value, field, goTypes[type]))
  // The line before has looked.
  return value as Shapes[T]
}

/** A text in a list or a map of a response. @throws {WebhookFailure} */
export function textIn(value: Json | undefined, field: string): string {
  if (typeof value === 'string') return value
  throw undecodable(wrongType(value, field, 'string'))
}

function wrongType(value: Json | undefined, field: string, type: string): string {
  const path = field === 'response' ? field : `response.${field}`
  return `json: cannot unmarshal ${kindOf(value ?? null)} into Go struct field Review.${path} of type ${type}`
}
