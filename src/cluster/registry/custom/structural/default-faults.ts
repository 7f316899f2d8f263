import type { Json } from '../../../../kube/index.ts'
import { type Fault, invalidValue } from '../../faults.ts'
import type { Schema } from '../../schema/schema.ts'
import { prune, validateStructural } from '../../schema/structural.ts'
import { checkRules, compileRules } from '../rules.ts'

/** Faults of a default: it must be a value that its own schema, without the default, would let through. */
export function defaultFaults(schema: Schema, path: string): Fault[] {
  if (schema.default === undefined) return []
  const at = `${path}.default`
  const faults: Fault[] = []
  const copy = structuredClone(schema.default)
  if (isObject(copy) && prune(copy, { ...schema, 'x-kubernetes-embedded-resource': true }).length > 0) {
    faults.push(invalidValue(at, schema.default, 'must not have unknown fields'))
  }
  const holder: Schema = { type: 'object', properties: { default: withoutDefault(schema) } }
  for (const fault of validateStructural({ default: schema.default }, holder)) {
    const inner = fault.field.replace(/^default/, '')
    faults.push({ ...fault, field: `${at}${inner === '<nil>' ? '' : inner}` })
  }
  // Rules say nothing sensible of a value that is not even of the right shape.
  return faults.length > 0 ? faults : ruleFaults(schema, schema.default, at)
}

function ruleFaults(schema: Schema, value: Json, path: string): Fault[] {
  const rules = compileRules(schema, { isRoot: schema['x-kubernetes-embedded-resource'] === true })
  if (rules === undefined) return []
  return checkRules(rules, value, undefined).faults.map((fault) => {
    const inner = fault.field.startsWith('[') ? fault.field : `.${fault.field}`
    return { ...fault, field: fault.field === '<nil>' ? path : `${path}${inner}` }
  })
}

function withoutDefault(schema: Schema): Schema {
  const { default: _default, ...rest } = schema
  return rest
}

function isObject(value: Json): value is { [field: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
