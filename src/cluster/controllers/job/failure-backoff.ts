import { type JobPod, failuresBefore, finishedAt, ignoredFailuresBefore } from './job-pod.ts'

/** Failures in a row of a job's pods, and the last of them. */
export interface FailureStreak {
  readonly failures: number
  readonly lastMs: number
}

export const noFailures: FailureStreak = { failures: 0, lastMs: 0 }

const firstMs = 10_000
const largestMs = 600_000

/** How long to wait before pods are replaced: doubles with every failure in a row. */
export function waitMs(streak: FailureStreak, now: number): number {
  if (streak.failures === 0) return 0
  const wait = Math.min(firstMs * 2 ** Math.min(streak.failures - 1, 16), largestMs)
  return Math.max(0, wait - (now - streak.lastMs))
}

/** How long an index waits for the replacement of its failed pod. */
export function indexWaitMs(failed: JobPod | undefined, now: number): number {
  if (failed === undefined) return 0
  const failures = failuresBefore(failed) + ignoredFailuresBefore(failed) + 1
  return waitMs({ failures, lastMs: finishedAt(failed) }, now)
}

/** The streak after these pods ended: a success ends it, failures after the success begin a new one. */
export function continued(
  streak: FailureStreak,
  succeeded: readonly JobPod[],
  failed: readonly JobPod[],
): FailureStreak {
  if (succeeded.length === 0 && failed.length === 0) return streak
  const lastSuccess = Math.max(-Infinity, ...succeeded.map(finishedAt))
  const counted = failed.map(finishedAt).filter((time) => time > lastSuccess)
  if (counted.length === 0) return noFailures
  const before = succeeded.length === 0 ? streak.failures : 0
  return { failures: before + counted.length, lastMs: Math.max(...counted) }
}
