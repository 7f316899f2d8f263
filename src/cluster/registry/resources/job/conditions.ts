import type { JobStatus } from 'kubernetes-types/batch/v1.js'

export function isTrue(status: JobStatus | undefined, type: string): boolean {
  return (status?.conditions ?? []).some((one) => one.type === type && one.status === 'True')
}

export function isFinished(status: JobStatus | undefined): boolean {
  return isTrue(status, 'Complete') || isTrue(status, 'Failed')
}
