import { type Json, exactJsonText } from '../../../kube/index.ts'
import {
  Budget,
  CelBudgetError,
  CelCompileError,
  CelEvaluationError,
  CelOverloadError,
  CelResultError,
  celTypes,
  compile,
  fromJson,
  kubernetesEnvironment,
  Optional,
  type Program,
  type Value,
} from '../../cel/index.ts'
import { duplicate, type Fault, forbiddenField, invalidValue, required, shown } from '../faults.ts'
import type { Schema, ValidationRule } from '../schema/schema.ts'
import { child, sameItem } from './paths.ts'

/** The CEL rules of a schema, compiled; only branches that have any. */
export interface RuleTree {
  readonly schema: Schema
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleTree>
  readonly items: RuleTree | undefined
  readonly values: RuleTree | undefined
}

interface CompiledRule {
  readonly rule: ValidationRule
  readonly program: Program
  readonly message: Program | undefined
  readonly usesOldSelf: boolean
}

/** Compiles a rule of a schema. @throws {CelCompileError} */
export function compileRule(
  rule: ValidationRule,
  schema: Schema,
  { isRoot }: { readonly isRoot: boolean },
): CompiledRule {
  const self = celTypes.typeOfSchema(schema, { isRoot })
  const oldSelf = rule.optionalOldSelf ? celTypes.optionalOf(self) : self
  const program = compile(rule.rule, kubernetesEnvironment.with({ self, oldSelf }))
  if (!celTypes.fits(program.type, 'bool')) throw new CelResultError('cel expression must evaluate to a bool')
  let message: Program | undefined
  if (rule.messageExpression) {
    message = compile(rule.messageExpression, kubernetesEnvironment.with({ self, oldSelf }))
    if (!celTypes.fits(message.type, 'string')) {
      throw new CelResultError('messageExpression must evaluate to a string')
    }
  }
  return { rule, program, message, usesOldSelf: program.variables.has('oldSelf') }
}

/** Compiles every rule of a schema that was checked before; undefined when it has none. */
export function compileRules(
  schema: Schema,
  options: { readonly isRoot: boolean } = { isRoot: true },
): RuleTree | undefined {
  const inner = (one: Schema | boolean | undefined): RuleTree | undefined =>
    typeof one === 'object'
      ? compileRules(one, { isRoot: one['x-kubernetes-embedded-resource'] === true })
      : undefined
  const rules = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => {
    try {
      return [compileRule(rule, schema, options)]
    } catch (error) {
      // A rule that does not compile was refused when the definition was made; it binds nobody.
      if (error instanceof CelCompileError) return []
      throw error
    }
  })
  const properties = new Map<string, RuleTree>()
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const tree = inner(property)
    if (tree !== undefined) properties.set(name, tree)
  }
  const items = inner(schema.items)
  const values = inner(schema.additionalProperties)
  if (rules.length === 0 && properties.size === 0 && items === undefined && values === undefined)
    return undefined
  return { schema, rules, properties, items, values }
}

/** Something that was checked: its new and its old value, as far as they belong together. */
interface Pair {
  readonly value: Json
  /** Undefined when there is nothing to compare with. */
  readonly old: Json | undefined
}

/** Faults of an object by the rules of its schema. `old` is given on updates. */
export function checkRules(
  tree: RuleTree,
  value: Json,
  old: Json | undefined,
): { faults: Fault[]; warnings: string[] } {
  const check = new RuleCheck()
  check.run(tree, { value, old }, '')
  return { faults: check.faults, warnings: check.warnings }
}

class RuleCheck {
  readonly faults: Fault[] = []
  /** Faults that were there before and are not this change's doing. */
  readonly warnings: string[] = []
  readonly #budget = new Budget()
  #isStopped = false

  run(tree: RuleTree, { value, old }: Pair, path: string): void {
    if (value === null || this.#isStopped) return
    for (const rule of tree.rules) {
      this.#apply(tree.schema, rule, { value, old }, path)
      if (this.#isStopped) return
    }
    if (Array.isArray(value)) {
      const { items } = tree
      if (items === undefined) return
      const before = Array.isArray(old) ? old : []
      for (const [at, item] of value.entries()) {
        this.run(items, { value: item, old: sameItem(tree.schema, before, item) }, `${path}[${at}]`)
      }
      return
    }
    if (typeof value !== 'object') return
    const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? old : {}
    const isKept = tree.schema['x-kubernetes-map-type'] !== 'atomic'
    for (const name of Object.keys(value)) {
      const inner = tree.properties.get(name) ?? tree.values
      const item = value[name]
      if (inner === undefined || item === undefined) continue
      const was = isKept && Object.hasOwn(before, name) ? before[name] : undefined
      const place = tree.properties.has(name) ? child(path, name) : `${path}[${name}]`
      this.run(inner, { value: item, old: was }, place)
    }
  }

  #apply(schema: Schema, compiled: CompiledRule, { value, old }: Pair, path: string): void {
    const { rule, program, usesOldSelf } = compiled
    if (usesOldSelf && old === undefined && !rule.optionalOldSelf) return
    const previous = old === undefined ? undefined : fromJson(old, schema)
    const bindings = {
      self: fromJson(value, schema),
      oldSelf: rule.optionalOldSelf ? new Optional(previous) : (previous ?? null),
    }
    let result: Value
    try {
      result = program.evaluate(bindings, this.#budget)
    } catch (error) {
      if (!(error instanceof CelEvaluationError)) throw error
      this.#fail(schema, rule, error, path)
      return
    }
    if (result === true) return
    const place = rule.fieldPath ? child(path, rule.fieldPath.replace(/^\./, '')) : path
    const message = this.#message(compiled, bindings)
    const fault = faultOf(rule, place || '<nil>', value, message)
    if (!usesOldSelf && old !== undefined && isUnchanged(value, old)) {
      this.warnings.push(`${fault.field}: ${fault.message}`)
    } else this.faults.push(fault)
  }

  #message(
    { rule, message }: CompiledRule,
    bindings: Record<string, Value>,
  ): { text: string; isComputed: boolean } {
    try {
      const text = message?.evaluate(bindings, this.#budget)
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n'))
        return { text, isComputed: true }
    } catch (error) {
      // The rule's fixed message says it well enough.
      if (!(error instanceof CelEvaluationError)) throw error
    }
    return { text: rule.message?.trim() || `failed rule: ${rule.rule.trim()}`, isComputed: false }
  }

  #fail(schema: Schema, rule: ValidationRule, error: CelEvaluationError, path: string): void {
    const place = path || '<nil>'
    const type = schema.type ?? ''
    const shownRule = ruleText(rule)
    if (error instanceof CelBudgetError) {
      this.#isStopped = true
      const why = this.#budget.isExhausted
        ? 'validation failed due to running out of cost budget, no further validation rules will be run'
        : `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shownRule}`
      this.faults.push(invalidValue(place, type, why))
      return
    }
    const why =
      error instanceof CelOverloadError
        ? `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${shownRule}`
        : `${error.message} evaluating rule: ${shownRule}`
    this.faults.push(invalidValue(place, type, why))
  }
}

function ruleText(rule: ValidationRule): string {
  return rule.message?.trim() || rule.rule.trim()
}

function faultOf(
  rule: ValidationRule,
  field: string,
  value: Json,
  { text, isComputed }: { readonly text: string; readonly isComputed: boolean },
): Fault {
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbiddenField(field, text)
    case 'FieldValueRequired':
      return required(field, text)
    case 'FieldValueDuplicate':
      return typeof value === 'object' && value !== null
        ? { reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown(value)}`, field }
        : duplicate(field, value)
    default: {
      // Structures are too large to be shown, and a computed message shows what it wants of the value.
      const isShown = !isComputed && (typeof value !== 'object' || value === null)
      return isShown
        ? invalidValue(field, value, text)
        : { reason: 'FieldValueInvalid', message: `Invalid value: ${text}`, field }
    }
  }
}

function isUnchanged(value: Json, old: Json): boolean {
  return value === old || exactJsonText(value) === exactJsonText(old)
}
