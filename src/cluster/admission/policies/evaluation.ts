import {
  type Bindings,
  Budget,
  CelBudgetError,
  CelEvaluationError,
  LazyFields,
  type Value,
} from '../../cel/index.ts'
import type { Expression, NamedExpression } from './expressions.ts'

const conditionBudget = 2_500_000

/** What an expression gave, or why it gave nothing. */
export type Outcome = { readonly value: Value } | { readonly failure: string }

/** False as soon as one condition does not hold; the text of the first failure when none says no. */
export function conditionsHold(conditions: readonly NamedExpression[], bindings: Bindings): boolean | string {
  const budget = new Budget(conditionBudget)
  let failure: string | undefined
  for (const { expression } of conditions) {
    const outcome = run(expression, bindings, budget)
    if ('failure' in outcome) failure ??= outcome.failure
    else if (outcome.value !== true) return false
  }
  return failure ?? true
}

/** The variables of a policy, each made when it is asked for. */
export function variablesOf(
  named: readonly NamedExpression[],
  bindings: Bindings,
  budget: Budget,
): LazyFields {
  const makers = new Map<string, () => Value>()
  const variables: LazyFields = new LazyFields(makers)
  for (const { name, expression } of named) {
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

/** Evaluates one expression of a policy. */
export function run({ source, program, failure }: Expression, bindings: Bindings, budget: Budget): Outcome {
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
