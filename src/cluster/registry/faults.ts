import { type StatusCause, exactJsonText } from '../../kube/index.ts'

/**
 * One fault of one field, spelled as Kubernetes' field errors are
 * (https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field).
 */
export interface Fault extends StatusCause {
  readonly field: string
  readonly reason: string
  readonly message: string
}

/** How Go's `%q`-like rendering in field errors shows a bad value. */
export function shown(value: unknown): string {
  return exactJsonText(value) ?? 'null'
}

/** `Invalid value: "x": must be ...` */
export const invalidValue = (field: string, value: unknown, detail: string): Fault => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${shown(value)}: ${detail}`,
  field,
})
/** `Required value`, with the reason where there is one to tell. */
export const required = (field: string, detail = ''): Fault => ({
  reason: 'FieldValueRequired',
  message: detail ? `Required value: ${detail}` : 'Required value',
  field,
})
/** `Duplicate value: "x"` */
export const duplicate = (field: string, value: unknown): Fault => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${shown(value)}`,
  field,
})
/** `Unsupported value: "x": supported values: "a", "b"` */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): Fault => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${shown(value)}${supported.length > 0 ? `: supported values: ${supported.map((v) => JSON.stringify(v)).join(', ')}` : ''}`,
  field,
})
/** `Forbidden: field is immutable` */
export const forbiddenField = (field: string, detail: string): Fault => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
  field,
})
/** `Not found: "x"` */
export const notFoundValue = (field: string, value: unknown): Fault => ({
  reason: 'FieldValueNotFound',
  message: `Not found: ${shown(value)}`,
  field,
})
/** `Too long: may not be more than 63 bytes` */
export const tooLong = (field: string, max: number): Fault => ({
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${max} bytes`,
  field,
})
/** A value of the wrong type: `Invalid value: "x": ...`, with a reason of its own. */
export const typeInvalid = (field: string, value: unknown, detail: string): Fault => ({
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: ${shown(value)}: ${detail}`,
  field,
})
