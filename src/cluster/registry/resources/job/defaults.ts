import type { Job, JobSpec } from 'kubernetes-types/batch/v1.js'
import { plain, type Of } from '../define.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'

const endless = 2 ** 31 - 1

export function setJobDefaults(job: Of<Job>): void {
  job.spec ??= { template: {} }
  setJobSpecDefaults(job.spec)
  labelLikeTemplate(job)
}

/** Defaults of a job's spec, be it a job's own or a cron job's template. */
function setJobSpecDefaults(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  // Counted for every index, failures are not counted over all.
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : endless
  spec.completionMode ||= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ||= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  spec.manualSelector ??= false
  for (const { onPodConditions } of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of onPodConditions ?? []) pattern.status ||= 'True'
  }
  spec.template ??= {}
  spec.template.spec ??= { containers: [] }
  setPodSpecDefaults(spec.template.spec)
}

/** A job without labels of its own carries those of its pods. */
export function labelLikeTemplate(job: Of<Job>): void {
  const { labels } = job.spec?.template.metadata ?? {}
  const object = plain(job)
  if (labels && Object.keys(object.metadata.labels ?? {}).length === 0) {
    object.metadata.labels = { ...labels }
  }
}
