import {
  type Bindings,
  Budget,
  CelBudgetError,
  CelEvaluationError,
  fromJson,
  LazyFields,
  type Value,
} from '../../cel/index.ts'
import type { KubeObject } from '../../../kube/index.ts'
import type { CompiledPolicy, CompiledValidation, Expression } from './compile.ts'

/** Why a policy is against a request. Without a reason it could not be evaluated. */
export interface Objection {
  readonly message: string
  readonly reason?: string
  /** Which validation it is of. */
  readonly at?: number
  /** Refuses whatever the binding wants done: nobody could say what that is to apply to. */
  readonly isFinal?: boolean
}

export interface Verdict {
  readonly objections: readonly Objection[]
  readonly annotations: readonly (readonly [key: string, value: string])[]
}

const agreed: Verdict = { objections: [], annotations: [] }
const conditionBudget = 2_500_000
const longestMessage = 5 * 1024

/** Evaluates a policy for a request that it matches, with one object of parameters. */
export function evaluate(
  policy: CompiledPolicy,
  request: Bindings,
  parameters: KubeObject | undefined,
): Verdict {
  const params: Value = fromJson(parameters ?? null)
  const failsClosed = policy.spec.failurePolicy !== 'Ignore'
  const bindings: Bindings = { ...request, params }
  const condition = conditionsHold(policy.matchConditions, bindings)
  if (condition === false) return agreed
  if (typeof condition === 'string') {
    return failsClosed ? { objections: [{ message: condition }], annotations: [] } : agreed
  }
  const budget = new Budget()
  const full: Bindings = { ...bindings, variables: variablesOf(policy, bindings, budget) }
  const objections: Objection[] = []
  for (const [at, one] of policy.validations.entries()) {
    const outcome = run(one.expression, full, budget)
    if ('failure' in outcome) {
      if (failsClosed) objections.push({ message: outcome.failure, at })
    } else if (outcome.value !== true) {
      objections.push({
        message: messageOf(one, full, budget),
        reason: one.validation.reason ?? 'Invalid',
        at,
      })
    }
  }
  const annotations: [string, string][] = []
  for (const { key, expression } of policy.auditAnnotations) {
    const outcome = run(expression, full, budget)
    if ('failure' in outcome) {
      if (failsClosed) objections.push({ message: outcome.failure })
    } else if (typeof outcome.value === 'string' && outcome.value.trim() !== '') {
      annotations.push([`${policy.name}/${key}`, outcome.value.trim()])
    }
  }
  return { objections, annotations }
}

/** False as soon as one condition does not hold; the text of the first failure when none says no. */
export function conditionsHold(
  conditions: CompiledPolicy['matchConditions'],
  bindings: Bindings,
): boolean | string {
  const budget = new Budget(conditionBudget)
  let failure: string | undefined
  for (const { expression } of conditions) {
    const outcome = run(expression, bindings, budget)
    if ('failure' in outcome) failure ??= outcome.failure
    else if (outcome.value !== true) return false
  }
  return failure ?? true
}

function variablesOf(policy: CompiledPolicy, bindings: Bindings, budget: Budget): LazyFields {
  const makers = new Map<string, () => Value>()
  const variables: LazyFields = new LazyFields(makers)
  for (const { name, expression } of policy.variables) {
    makers.set(name, () => {
      const { program, failure } = expression
      if (program === undefined)
        throw new CelEvaluationError(`composited variable "${name}" fails to compile: ${failure ?? ''}`)
      try {
        return program.evaluate({ ...bindings, variables }, budget)
      } catch (error) {
        if (error instanceof CelBudgetError || !(error instanceof CelEvaluationError)) throw error
        throw new CelEvaluationError(`composited variable "${name}" fails to evaluate: ${error.message}`, {
          cause: error,
        })
      }
    })
  }
  return variables
}

function run(
  { source, program, failure }: Expression,
  bindings: Bindings,
  budget: Budget,
): { readonly value: Value } | { readonly failure: string } {
  if (program === undefined) return { failure: `compilation error: ${failure ?? ''}` }
  if (budget.isExhausted) {
    return {
      failure: 'validation failed due to running out of cost budget, no further validation rules will be run',
    }
  }
  try {
    return { value: program.evaluate(bindings, budget) }
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error
    return { failure: `expression '${source}' resulted in error: ${error.message}` }
  }
}

function messageOf(
  { validation, message, expression }: CompiledValidation,
  bindings: Bindings,
  budget: Budget,
): string {
  const outcome = message === undefined ? undefined : run(message, bindings, budget)
  if (outcome !== undefined && 'value' in outcome && typeof outcome.value === 'string') {
    const text = outcome.value.trim()
    if (text !== '' && text.length <= longestMessage && !text.includes('\n')) return text
  }
  return validation.message?.trim() || `failed expression: ${expression.source.trim()}`
}
