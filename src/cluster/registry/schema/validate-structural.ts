import type { Json, JsonObject } from '../../../kube/index.ts'
import {
  duplicate,
  type Fault,
  invalidValue,
  notSupported,
  required,
  tooLong,
  typeInvalid,
} from '../faults.ts'
import { dns1035Label } from '../validation/names.ts'
import { isOfFormat } from './formats.ts'
import { goPattern } from './go-pattern.ts'
import type { Schema } from './schema.ts'

/**
 * Checks a custom resource against its schema, CEL rules aside. The words are those of the API server's validator:
 * `spec.workers in body should be less than or equal to 8`.
 */
export function validateStructural(object: JsonObject, schema: Schema): Fault[] {
  const faults: Fault[] = []
  check(object, schema, '', faults)
  checkEmbedded(object, schema, '', faults)
  checkLists(object, schema, '', faults)
  return faults
}

/** Path that errors of composed schemas have: none. */
const nowhere = '<nil>'

function check(value: Json | undefined, schema: Schema, path: string, faults: Fault[]): void {
  if (value === undefined) return
  if (value === null && schema.nullable) return
  const isTyped = checkType(value, schema, path, faults)
  if (value === null) {
    checkEnum(value, schema, path, faults)
    return
  }
  checkComposed(value, schema, path, faults)
  if (isTyped) {
    if (typeof value === 'string') checkString(value, schema, path, faults)
    else if (typeof value === 'number') checkNumber(value, schema, path, faults)
    else if (Array.isArray(value)) checkArray(value, schema, path, faults)
    else if (typeof value === 'object') checkObject(value, schema, path, faults)
  }
  checkEnum(value, schema, path, faults)
}

function checkType(value: Json, schema: Schema, path: string, faults: Fault[]): boolean {
  const found = typeOf(value)
  const wanted = schema['x-kubernetes-int-or-string'] ? 'integer,string' : schema.type
  if (wanted === undefined) return true
  const fits =
    wanted === 'integer,string'
      ? found === 'integer' || found === 'string'
      : found === wanted || (wanted === 'number' && found === 'integer')
  if (!fits)
    faults.push(
      typeInvalid(
        path || nowhere,
        found,
        `${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`,
      ),
    )
  return fits
}

function typeOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function checkEnum(value: Json, schema: Schema, path: string, faults: Fault[]): void {
  if (!schema.enum || schema.enum.some((allowed) => isEqual(allowed, value))) return
  const allowed = schema.enum.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
  faults.push(notSupported(path || nowhere, value, allowed))
}

function checkString(value: string, schema: Schema, path: string, faults: Fault[]): void {
  const { minLength, maxLength, pattern, format } = schema
  // A string has at most as many characters as UTF-16 units: most need no counting.
  if (maxLength !== undefined && value.length > maxLength && lengthOf(value) > maxLength)
    faults.push(tooLong(path, maxLength))
  if (minLength !== undefined && (value.length < minLength || lengthOf(value) < minLength))
    faults.push(invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`))
  if (pattern !== undefined && !goPattern(pattern).test(value))
    faults.push(invalidValue(path, value, `${path} in body should match '${pattern}'`))
  if (format !== undefined && !isOfFormat(value, format))
    faults.push(
      typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`),
    )
}

function lengthOf(text: string): number {
  let count = 0
  for (const _character of text) count++
  return count
}

function checkNumber(value: number, schema: Schema, path: string, faults: Fault[]): void {
  const { minimum, maximum, multipleOf } = schema
  const wrong = (detail: string): void => {
    faults.push(invalidValue(path, value, `${path} in body should be ${detail}`))
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) wrong(`a multiple of ${multipleOf}`)
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum) {
      if (value >= maximum) wrong(`less than ${maximum}`)
    } else if (value > maximum) wrong(`less than or equal to ${maximum}`)
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum) {
      if (value <= minimum) wrong(`greater than ${minimum}`)
    } else if (value < minimum) wrong(`greater than or equal to ${minimum}`)
  }
}

function checkArray(value: Json[], schema: Schema, path: string, faults: Fault[]): void {
  const { items, minItems, maxItems } = schema
  if (items) for (const [index, item] of value.entries()) check(item, items, `${path}[${index}]`, faults)
  if (minItems !== undefined && value.length < minItems)
    faults.push(invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`))
  if (maxItems !== undefined && value.length > maxItems) faults.push(tooMany(path, value.length, maxItems))
}

function checkObject(value: JsonObject, schema: Schema, path: string, faults: Fault[]): void {
  const { properties, additionalProperties, minProperties, maxProperties } = schema
  const names = Object.keys(value)
  if (minProperties !== undefined && names.length < minProperties)
    faults.push(
      invalidValue(
        path || nowhere,
        names.length,
        `${path} in body should have at least ${minProperties} properties`,
      ),
    )
  if (maxProperties !== undefined && names.length > maxProperties)
    faults.push(tooMany(path || nowhere, names.length, maxProperties))
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(value, name)) faults.push(required(joined(path, name)))
  for (const name of names) {
    if (properties && Object.hasOwn(properties, name)) {
      const property = properties[name]
      if (property) check(value[name], property, joined(path, name), faults)
    } else if (typeof additionalProperties === 'object')
      check(value[name], additionalProperties, joined(path, name), faults)
    else if (additionalProperties === false)
      faults.push(
        invalidValue(joined(path, name), '', `${joined(path, name)} in body is a forbidden property`),
      )
  }
}

function checkComposed(value: Json, schema: Schema, path: string, faults: Fault[]): void {
  const attempt = (inner: Schema): Fault[] => {
    const found: Fault[] = []
    check(value, inner, path, found)
    return found
  }
  const composed = (detail: string): void => {
    faults.push(invalidValue(nowhere, '', `${JSON.stringify(path)} ${detail}`))
  }
  if (schema.anyOf && schema.anyOf.length > 0) {
    const results = schema.anyOf.map(attempt)
    if (results.every((result) => result.length > 0)) {
      composed('must validate at least one schema (anyOf)')
      faults.push(...fewest(results))
    }
  }
  if (schema.oneOf && schema.oneOf.length > 0) {
    const results = schema.oneOf.map(attempt)
    const valid = results.filter((result) => result.length === 0).length
    if (valid !== 1) {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
      composed(`must validate one and only one schema (oneOf). ${found}`)
      if (valid === 0) faults.push(...fewest(results))
    }
  }
  if (schema.allOf && schema.allOf.length > 0) {
    const results = schema.allOf.map(attempt)
    const failed = results.filter((result) => result.length > 0)
    for (const result of failed) faults.push(...result)
    if (failed.length > 0)
      composed(
        `must validate all the schemas (allOf)${failed.length === results.length ? '. None validated' : ''}`,
      )
  }
  if (schema.not && attempt(schema.not).length === 0) composed('must not validate the schema (not)')
}

/** The failures of the alternative that came closest. */
function fewest(results: readonly Fault[][]): Fault[] {
  return results.reduce((best, result) => (result.length < best.length ? result : best), results[0] ?? [])
}

/** Objects within objects say what they are. */
function checkEmbedded(value: Json | undefined, schema: Schema, path: string, faults: Fault[]): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    const { items } = schema
    if (items && isWorthAWalk(items))
      for (const [index, item] of value.entries()) checkEmbedded(item, items, `${path}[${index}]`, faults)
    return
  }
  if (schema['x-kubernetes-embedded-resource']) {
    checkTypeField(value, 'apiVersion', path, faults)
    checkTypeField(value, 'kind', path, faults)
  }
  for (const name of Object.keys(value)) {
    const { properties, additionalProperties } = schema
    const isField = properties !== undefined && Object.hasOwn(properties, name)
    const inner = isField ? properties[name] : additionalProperties
    if (typeof inner === 'object' && isWorthAWalk(inner))
      checkEmbedded(value[name], inner, isField ? joined(path, name) : `${path}[${name}]`, faults)
  }
}

function checkTypeField(
  object: JsonObject,
  name: 'apiVersion' | 'kind',
  path: string,
  faults: Fault[],
): void {
  const at = joined(path, name)
  const value = object[name]
  if (value === undefined) {
    faults.push(required(at, 'must not be empty'))
  } else if (typeof value !== 'string') {
    faults.push(invalidValue(at, value, 'must be a string'))
  } else if (value === '') {
    faults.push(invalidValue(at, value, 'must not be empty'))
  } else if (name === 'apiVersion' && value.split('/').length > 2) {
    faults.push(invalidValue(at, value, `unexpected GroupVersion string: ${value}`))
  } else if (name === 'kind') {
    const wrong = dns1035Label(value.toLowerCase())
    if (wrong.length > 0) {
      const why = `may have mixed case, but should otherwise match: ${wrong.join(',')}`
      faults.push(invalidValue(at, value, why))
    }
  }
}

/** List maps and sets must not hold the same item twice. */
function checkLists(value: Json | undefined, schema: Schema, path: string, faults: Fault[]): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    checkUnique(value, schema, path, faults)
    const { items } = schema
    if (items && isWorthAWalk(items))
      for (const [index, item] of value.entries()) checkLists(item, items, `${path}[${index}]`, faults)
    return
  }
  for (const name of Object.keys(value)) {
    const { properties, additionalProperties } = schema
    const inner = properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (typeof inner === 'object' && isWorthAWalk(inner)) {
      const isKey = !(properties && Object.hasOwn(properties, name))
      checkLists(value[name], inner, isKey ? `${path}[${name}]` : joined(path, name), faults)
    }
  }
}

function isWorthAWalk(schema: Schema): boolean {
  return schema.type === 'array' || schema.type === 'object'
}

function checkUnique(value: Json[], schema: Schema, path: string, faults: Fault[]): void {
  const kind = schema['x-kubernetes-list-type']
  if (kind !== 'map' && kind !== 'set') return
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  for (const [index, item] of value.entries()) {
    const identity = kind === 'map' && isObject(item) ? keysOf(item, keys) : item
    const text = canonical(identity)
    if (seen.has(text)) faults.push(duplicate(`${path}[${index}]`, identity))
    seen.add(text)
  }
}

function keysOf(item: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, item[key]]))
}

function canonical(value: Json | undefined): string {
  if (!isObject(value))
    return Array.isArray(value) ? `[${value.map(canonical).join()}]` : JSON.stringify(value ?? null)
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join()}}`
}

function isEqual(a: Json, b: Json): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && canonical(a) === canonical(b))
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function tooMany(field: string, actual: number, most: number): Fault {
  return {
    reason: 'FieldValueTooMany',
    message: `Too many: ${actual}: must have at most ${most} ${most === 1 ? 'item' : 'items'}`,
    field,
  }
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
