import type { JobCondition } from './job-pod.ts'

export function newCondition(
  type: string,
  reason: string,
  message: string,
  time: string,
  status: 'True' | 'False' = 'True',
): JobCondition {
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message }
}

export function findCondition(
  conditions: readonly JobCondition[] | undefined,
  type: string,
): JobCondition | undefined {
  return (conditions ?? []).find((condition) => condition.type === type)
}

function isTrue(conditions: readonly JobCondition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}

/** Has the job come to its end, one way or the other? */
export function isFinished(conditions: readonly JobCondition[] | undefined): boolean {
  return isTrue(conditions, 'Complete') || isTrue(conditions, 'Failed')
}

/** The conditions with this one; the same array when nothing changes. Nothing is told of what never was. */
export function withCondition(conditions: JobCondition[], condition: JobCondition): JobCondition[] {
  const at = conditions.findIndex(({ type }) => type === condition.type)
  const before = conditions[at]
  if (before === undefined) return condition.status === 'False' ? conditions : [...conditions, condition]
  const isSame =
    before.status === condition.status &&
    before.reason === condition.reason &&
    before.message === condition.message
  return isSame ? conditions : conditions.map((other, index) => (index === at ? condition : other))
}
