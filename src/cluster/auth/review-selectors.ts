import { type Fault, forbiddenField, invalidValue, required } from '../registry/index.ts'
import { isRecord, recordOf, textOf, textsOf } from './records.ts'

/** The selection of a question about rights, as far as rules can tell selections apart. */
export function fieldSelectorOf(value: unknown): { fieldSelector?: string } {
  const selector = recordOf(value)
  if (textOf(selector.rawSelector)) return { fieldSelector: textOf(selector.rawSelector) }
  if (!Array.isArray(selector.requirements)) return {}
  const parts = selector.requirements
    .map(recordOf)
    .filter(({ operator, values }) => operator === 'In' && textsOf(values).length === 1)
    .map(({ key, values }) => `${textOf(key)}=${textsOf(values)[0] ?? ''}`)
  return parts.length > 0 ? { fieldSelector: parts.join(',') } : {}
}

/** A question about a selection tells it in one way, and does tell it. */
export function selectorFaults(asked: Readonly<Record<string, unknown>>): Fault[] {
  return ['labelSelector', 'fieldSelector'].flatMap((name): Fault[] => {
    if (!isRecord(asked[name])) return []
    const { rawSelector, requirements } = recordOf(asked[name])
    const path = `spec.resourceAttributes.${name}`
    const listed = Array.isArray(requirements) ? requirements.map(recordOf) : []
    const faults: Fault[] = []
    if (rawSelector && listed.length > 0) {
      const detail = 'may not specified at the same time as requirements'
      faults.push(invalidValue(`${path}.rawSelector`, rawSelector, detail))
    }
    if (!rawSelector && listed.length === 0) {
      const detail = `when ${path} is specified, requirements or rawSelector is required`
      faults.push(required(`${path}.requirements`, detail))
    }
    for (const [index, one] of listed.entries())
      faults.push(...requirementFaults(one, `${path}.requirements[${index}]`))
    return faults
  })
}

/** Operators that nobody here knows are let through: newer clients may know them. */
function requirementFaults(
  { key, operator, values }: Readonly<Record<string, unknown>>,
  path: string,
): Fault[] {
  const faults: Fault[] = []
  const count = textsOf(values).length
  if ((operator === 'In' || operator === 'NotIn') && count === 0)
    faults.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0) {
    const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    faults.push(forbiddenField(`${path}.values`, detail))
  }
  if (!textOf(key)) faults.push(required(`${path}.key`, 'must be specified'))
  return faults
}
