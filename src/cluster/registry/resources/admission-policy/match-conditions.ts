import type { MatchCondition } from 'kubernetes-types/admissionregistration/v1.js'
import { duplicate, type Fault, required } from '../../faults.ts'
import { checked, tooMany } from '../../validation/checks.ts'
import { qualifiedName } from '../../validation/names.ts'

/** Faults of one expression that is there: whoever runs it knows whether it compiles. */
export type ExpressionCheck = (expression: string, path: string) => Fault[]

const mostConditions = 64

export const isBlank = (text: string | undefined): boolean => (text ?? '').trim() === ''

/** Faults of the conditions under which a policy or a webhook looks at a request. */
export function conditionFaults(
  path: string,
  conditions: readonly MatchCondition[],
  checkExpression?: ExpressionCheck,
): Fault[] {
  const faults = conditions.length > mostConditions ? [tooMany(path, conditions.length, mostConditions)] : []
  const names = new Set<string>()
  for (const [index, { name, expression }] of conditions.entries()) {
    const at = `${path}[${index}]`
    if (isBlank(expression)) faults.push(required(`${at}.expression`))
    else faults.push(...(checkExpression?.(expression, `${at}.expression`) ?? []))
    if (!name) faults.push(required(`${at}.name`))
    else {
      faults.push(...checked(`${at}.name`, name, qualifiedName))
      if (names.has(name)) faults.push(duplicate(`${at}.name`, name))
      names.add(name)
    }
  }
  return faults
}
