import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from 'kubernetes-types/batch/v1.js'
import { duplicate, type Fault, invalidValue, notSupported, required, tooLong } from '../../faults.ts'
import { checked, invalidWhole, notNegative, optionalChoice, tooMany } from '../../validation/checks.ts'
import { byteLength, qualifiedName } from '../../validation/names.ts'
import { countIndexes } from './indexes.ts'

const most = { rules: 20, exitCodes: 255, conditions: 20, indexBytes: 64 * 1024 }

/** A Go list of texts, as in `["a" "b"]`. */
const listed = (values: readonly string[]): string =>
  `[${values.map((value) => JSON.stringify(value)).join(' ')}]`

function validChoice(path: string, value: string | undefined, choices: readonly string[]): Fault[] {
  if (!value) return [required(path, `valid values: ${listed(choices)}`)]
  return optionalChoice(path, value, choices)
}

/** What a failed pod means for its job. */
export function validateFailurePolicy(path: string, spec: JobSpec): Fault[] {
  const rules = spec.podFailurePolicy?.rules ?? []
  const { containers = [], initContainers = [] } = spec.template.spec ?? {}
  const names = new Set([...containers, ...initContainers].map(({ name }) => name))
  const faults = rules.length > most.rules ? [tooMany(`${path}.rules`, rules.length, most.rules)] : []
  return [
    ...faults,
    ...rules.flatMap((rule, index) => failureRule(`${path}.rules[${index}]`, rule, spec, names)),
  ]
}

const failureActions = ['Count', 'FailIndex', 'FailJob', 'Ignore']

function failureRule(
  path: string,
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  containers: ReadonlySet<string>,
): Fault[] {
  const { action, onExitCodes, onPodConditions = [] } = rule
  const faults = validChoice(`${path}.action`, action, failureActions)
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    faults.push(invalidValue(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  }
  if (onExitCodes) faults.push(...exitCodeFaults(`${path}.onExitCodes`, onExitCodes, containers))
  faults.push(...conditionFaults(`${path}.onPodConditions`, onPodConditions))
  if (onExitCodes && onPodConditions.length > 0) {
    faults.push(invalidWhole(path, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    faults.push(invalidWhole(path, 'specifying one of OnExitCodes and OnPodConditions is required'))
  }
  return faults
}

function conditionFaults(path: string, patterns: readonly PodFailurePolicyOnPodConditionsPattern[]): Fault[] {
  const faults = patterns.length > most.conditions ? [tooMany(path, patterns.length, most.conditions)] : []
  return [
    ...faults,
    ...patterns.flatMap(({ type = '', status }, index) => [
      ...checked(`${path}[${index}].type`, type, qualifiedName),
      ...validChoice(`${path}[${index}].status`, status, ['False', 'True', 'Unknown']),
    ]),
  ]
}

function exitCodeFaults(
  path: string,
  { operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  containers: ReadonlySet<string>,
): Fault[] {
  const faults = validChoice(`${path}.operator`, operator, ['In', 'NotIn'])
  if (containerName !== undefined && !containers.has(containerName)) {
    faults.push(
      invalidValue(
        `${path}.containerName`,
        containerName,
        'must be one of the container or initContainer names in the pod template',
      ),
    )
  }
  if (values.length === 0) {
    faults.push(invalidValue(`${path}.values`, values, 'at least one value is required'))
  } else if (values.length > most.exitCodes) {
    faults.push(tooMany(`${path}.values`, values.length, most.exitCodes))
  }
  const seen = new Set<number>()
  let isOrdered = true
  for (const [index, value] of values.entries()) {
    const at = `${path}.values[${index}]`
    if (operator === 'In' && value === 0) {
      faults.push(invalidValue(at, value, 'must not be 0 for the In operator'))
    }
    if (seen.has(value)) faults.push(duplicate(at, value))
    seen.add(value)
    isOrdered &&= index === 0 || (values[index - 1] ?? 0) <= value
  }
  if (!isOrdered) faults.push(invalidValue(`${path}.values`, values, 'must be ordered'))
  return faults
}

/** When an indexed job has succeeded though not all of its indexes have. */
export function validateSuccessPolicy(path: string, spec: JobSpec): Fault[] {
  const rules = spec.successPolicy?.rules ?? []
  const faults: Fault[] = []
  if (rules.length === 0) {
    faults.push(
      required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'),
    )
  }
  if (rules.length > most.rules) faults.push(tooMany(`${path}.rules`, rules.length, most.rules))
  for (const [index, rule] of rules.entries()) {
    faults.push(...successRule(`${path}.rules[${index}]`, rule, spec.completions ?? 0))
  }
  return faults
}

function successRule(path: string, rule: SuccessPolicyRule, completions: number): Fault[] {
  const { succeededCount: count, succeededIndexes: indexes } = rule
  const faults: Fault[] = []
  if (count === undefined && indexes === undefined) {
    faults.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'))
  }
  let total = 0
  if (indexes !== undefined) {
    const at = `${path}.succeededIndexes`
    if (byteLength(indexes) > most.indexBytes) faults.push(tooLong(at, most.indexBytes))
    const found = countIndexes(indexes, completions)
    if (typeof found === 'number') total = found
    else faults.push(invalidValue(at, indexes, `error parsing succeededIndexes: ${found.fault}`))
  }
  if (count === undefined) return faults
  const at = `${path}.succeededCount`
  faults.push(...notNegative(at, count))
  if (count > completions) {
    faults.push(
      invalidValue(
        at,
        count,
        `must be less than or equal to ${completions} (the number of specified completions)`,
      ),
    )
  }
  if (indexes !== undefined && count > total) {
    faults.push(
      invalidValue(
        at,
        count,
        `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`,
      ),
    )
  }
  return faults
}

/** Pods that may yet end well are not replaced before they have failed. */
export function validateReplacementPolicy(path: string, spec: JobSpec): Fault[] {
  const { podReplacementPolicy: policy, podFailurePolicy } = spec
  if (policy === undefined) return []
  const choices = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  return choices.includes(policy) ? [] : [notSupported(path, policy, choices)]
}
