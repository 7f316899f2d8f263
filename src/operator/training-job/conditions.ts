import { type JobCondition, type JobStatus, timestamp } from '../../kube/index.ts'

export function hasCondition(status: JobStatus, type: JobCondition['type']): boolean {
  return status.conditions?.some((one) => one.type === type && one.status === 'True') ?? false
}

export function isFinished(status: JobStatus): boolean {
  return hasCondition(status, 'Succeeded') || hasCondition(status, 'Failed')
}

export interface NewCondition {
  readonly type: JobCondition['type']
  readonly status?: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/**
 * The status with one more condition, as Kubeflow's operator keeps them: a finished job does not change any more, running
 * and restarting exclude each other, and what has finished is not running.
 */
export function withCondition(status: JobStatus, next: NewCondition, now: number): JobStatus {
  if (isFinished(status)) return status
  const value = next.status ?? 'True'
  const conditions = status.conditions ?? []
  const current = conditions.find((one) => one.type === next.type)
  if (current?.status === value && current.reason === next.reason) return status
  const time = timestamp(now)
  const isEnd = next.type === 'Succeeded' || next.type === 'Failed'
  const kept = conditions
    .filter((one) => one.type !== next.type && !excludes(next, one.type))
    .map((one): JobCondition => {
      if (!isEnd || one.type !== 'Running' || one.status === 'False') return one
      return { ...one, status: 'False', lastUpdateTime: time, lastTransitionTime: time }
    })
  const added: JobCondition = {
    type: next.type,
    status: value,
    reason: next.reason,
    message: next.message,
    lastUpdateTime: time,
    lastTransitionTime: current?.status === value ? (current.lastTransitionTime ?? time) : time,
  }
  return { ...status, conditions: [...kept, added] }
}

function excludes(next: NewCondition, type: JobCondition['type']): boolean {
  if (next.status === 'False') return false
  return (
    (next.type === 'Running' && type === 'Restarting') || (next.type === 'Restarting' && type === 'Running')
  )
}
