import { exactJsonText, type Json, type JsonObject } from '../../../kube/index.ts'

/** Are they the same value? The order of fields says nothing. */
export function isSameJson(a: Json, b: Json): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && canonical(a) === canonical(b))
}

/** A text that is the same for the same value alone. */
export function canonical(value: Json | undefined): string {
  if (!isObject(value))
    return Array.isArray(value) ? `[${value.map(canonical).join()}]` : exactJsonText(value ?? null)
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join()}}`
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
