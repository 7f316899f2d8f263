import { type IndexSet, countCommon, countIndexes, parseIndexes } from './index-set.ts'
import type { JobPod, JobSpec } from './job-pod.ts'

type FailurePolicy = NonNullable<JobSpec['podFailurePolicy']>
type FailureRule = FailurePolicy['rules'][number]

export interface FailureMatch {
  /** Set when the job as a whole is to fail. */
  readonly jobFailure?: string
  /** Does the failure count towards the back-off limits? */
  readonly counts: boolean
  readonly action?: string
}

/** What the job's pod failure policy makes of a failed pod. */
export function matchFailure(policy: FailurePolicy | undefined, pod: JobPod): FailureMatch {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const why = whyMatching(rule, pod)
    if (why === undefined) continue
    const { action } = rule
    if (action === 'Ignore') return { counts: false, action }
    if (action === 'FailIndex' || action === 'Count') return { counts: true, action }
    if (action === 'FailJob') {
      return { counts: true, action, jobFailure: `${why} matching FailJob rule at index ${index}` }
    }
  }
  return { counts: true }
}

function whyMatching(rule: FailureRule, pod: JobPod): string | undefined {
  const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`
  if (rule.onExitCodes) {
    const { containerName, operator, values } = rule.onExitCodes
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    for (const status of statuses) {
      const exitCode = status.state?.terminated?.exitCode
      if (exitCode === undefined || exitCode === 0) continue
      if (containerName && containerName !== status.name) continue
      if (values.includes(exitCode) === (operator === 'In')) {
        return `Container ${status.name} for pod ${name} failed with exit code ${exitCode}`
      }
    }
    return undefined
  }
  for (const condition of pod.status?.conditions ?? []) {
    const isWanted = (rule.onPodConditions ?? []).some(
      (pattern) => pattern.type === condition.type && (pattern.status ?? 'True') === condition.status,
    )
    if (isWanted) return `Pod ${name} has condition ${condition.type}`
  }
  return undefined
}

/** The message of the success policy's rule that is met, if one is. */
export function matchSuccess(spec: JobSpec, succeeded: IndexSet): string | undefined {
  if (succeeded.length === 0) return undefined
  for (const [index, rule] of (spec.successPolicy?.rules ?? []).entries()) {
    if (isMet(rule, spec.completions ?? 0, succeeded)) return `Matched rules at index ${index}`
  }
  return undefined
}

type SuccessRule = NonNullable<JobSpec['successPolicy']>['rules'][number]

function isMet(rule: SuccessRule, completions: number, succeeded: IndexSet): boolean {
  const { succeededCount } = rule
  if (rule.succeededIndexes === undefined) {
    return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount
  }
  const wanted = parseIndexes(rule.succeededIndexes, completions)
  if (wanted.length === 0) return false
  const common = countCommon(wanted, succeeded)
  return common === countIndexes(wanted) || (succeededCount !== undefined && common >= succeededCount)
}
