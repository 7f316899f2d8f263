import { CelCompileError } from '../../../cel/index.ts'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import type { Schema, ValidationRule } from '../../schema/schema.ts'
import { compileRule } from '../rules.ts'
import { costComplaint } from './rule-cost.ts'

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const mostPerRule = 10_000_000

/** Where a schema stands: at the root or not, and how often its values can occur in one object. */
export interface Place {
  readonly isRoot: boolean
  readonly count: number
  /** The list or map around it whose items cannot be told apart: there is no old value to compare with. */
  readonly within?: string | undefined
}

/** Faults of what surrounds a rule's expression: its message, reason and field path. Compiles nothing. */
export function wordingFaults(schema: Schema, rule: ValidationRule, path: string): Fault[] {
  const faults: Fault[] = []
  const { message = '', messageExpression = '', fieldPath = '' } = rule
  if (!rule.rule?.trim()) {
    faults.push(required(`${path}.rule`, 'rule is not specified'))
  } else if (message !== '' && message.trim() === '') {
    faults.push(invalidValue(`${path}.message`, message, 'message must be non-empty if specified'))
  } else if (message.trim().includes('\n')) {
    faults.push(invalidValue(`${path}.message`, message, 'message must not contain line breaks'))
  } else if (rule.rule.trim().includes('\n') && message === '') {
    faults.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'))
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    faults.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
  }
  if (rule.reason !== undefined && !reasons.includes(rule.reason)) {
    faults.push(notSupported(`${path}.reason`, rule.reason, reasons))
  }
  if (fieldPath !== '' && fieldPath.trim() === '') {
    faults.push(invalidValue(`${path}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified'))
  }
  if (fieldPath.includes('\n')) {
    faults.push(invalidValue(`${path}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks'))
  }
  if (fieldPath !== '' && !refersToField(schema, fieldPath)) {
    faults.push(invalidValue(`${path}.fieldPath`, fieldPath, 'fieldPath must be a valid path'))
  }
  return faults
}

/** Compiles a rule: its faults, and what it can cost for one object in the worst case. */
export function expressionFaults(
  schema: Schema,
  rule: ValidationRule,
  path: string,
  { isRoot, count, within }: Place,
): { readonly faults: readonly Fault[]; readonly cost: number } {
  const faults: Fault[] = []
  let cost = 0
  const options = { isRoot: isRoot || schema['x-kubernetes-embedded-resource'] === true }
  for (const field of ['rule', 'messageExpression'] as const) {
    if (field === 'messageExpression' && !rule.messageExpression) continue
    // One of the two at a time, so that a fault is told of the field that has it.
    const only: ValidationRule = field === 'rule' ? withoutMessage(rule) : { ...rule, rule: 'true' }
    try {
      const { program, usesOldSelf } = compileRule(only, schema, options)
      if (field === 'messageExpression') continue
      cost = program.cost * count
      const complaint = costComplaint('estimated rule cost', 'rule', cost, mostPerRule)
      if (complaint !== undefined) faults.push(forbiddenField(`${path}.rule`, complaint))
      if (usesOldSelf && within !== undefined) {
        const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${within}`
        faults.push(invalidValue(`${path}.rule`, rule.rule, why))
      }
      if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
        const why = 'may not be set if oldSelf is not used in rule'
        faults.push(invalidValue(`${path}.optionalOldSelf`, rule.optionalOldSelf, why))
      }
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error
      faults.push({
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${goRule(rule)}: ${error.told}`,
        field: `${path}.${field}`,
      })
    }
  }
  return { faults, cost }
}

function withoutMessage(rule: ValidationRule): ValidationRule {
  const { messageExpression: _messageExpression, ...rest } = rule
  return rest
}

function refersToField(schema: Schema, path: string): boolean {
  let place: Schema | undefined = schema
  const steps = path.match(/\.[^.[\]]+|\['(?:[^'\\]|\\.)*'\]/g)
  if (steps === null || steps.join('') !== path) return false
  for (const step of steps) {
    const name = step.startsWith('.') ? step.slice(1) : step.slice(2, -2)
    const extra: Schema['additionalProperties'] = place?.additionalProperties
    place = place?.properties?.[name] ?? (typeof extra === 'object' ? extra : undefined)
    if (place === undefined) return false
  }
  return true
}

/** As Go prints the rule in the middle of an error. */
function goRule(rule: ValidationRule): string {
  const reason =
    rule.reason === undefined ? '(*apiextensions.FieldValueErrorReason)(nil)' : JSON.stringify(rule.reason)
  const optional = rule.optionalOldSelf === undefined ? '(*bool)(nil)' : String(rule.optionalOldSelf)
  return `apiextensions.ValidationRule{Rule:${JSON.stringify(rule.rule)}, Message:${JSON.stringify(rule.message ?? '')}, MessageExpression:${JSON.stringify(rule.messageExpression ?? '')}, Reason:${reason}, FieldPath:${JSON.stringify(rule.fieldPath ?? '')}, OptionalOldSelf:${optional}}`
}
