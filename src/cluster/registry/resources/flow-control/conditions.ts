import { duplicate, type Fault, required } from '../../faults.ts'

/** Conditions of which there is one of each type. */
export function conditionFaults(conditions: readonly { readonly type?: string }[] = []): Fault[] {
  const types = new Set<string>()
  return conditions.flatMap(({ type = '' }, index) => {
    const path = `status.conditions[${index}].type`
    const faults = types.has(type) ? [duplicate(path, type)] : []
    types.add(type)
    return type === '' ? [...faults, required(path, 'must not be empty')] : faults
  })
}
