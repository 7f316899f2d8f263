import type { Job } from 'kubernetes-types/batch/v1.js'
import { type Fault, invalidValue, required } from '../../faults.ts'
import { selectorMatches } from '../../validation/checks.ts'
import type { Of } from '../define.ts'

/** Labels by which the pods of a job are told from others; two names each, of which the short one is the older. */
function identityOf(job: Of<Job>): Record<string, string> {
  const { name = '', uid = '' } = job.metadata
  return {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
}

/** The user's own labels and selector stay; where they disagree with the job, validation says so. */
export function generateSelector(job: Of<Job>): void {
  const { spec } = job
  if (!spec || spec.manualSelector) return
  const metadata = spec.template.metadata ?? {}
  metadata.labels = { ...identityOf(job), ...metadata.labels }
  spec.template.metadata = metadata
  spec.selector ??= {}
  spec.selector.matchLabels = {
    'batch.kubernetes.io/controller-uid': job.metadata.uid ?? '',
    ...spec.selector.matchLabels,
  }
}

export function validateGeneratedSelector(job: Of<Job>): Fault[] {
  const { spec } = job
  if (!spec?.selector || spec.manualSelector) return []
  const expected = identityOf(job)
  const labels = spec.template.metadata?.labels ?? {}
  const faults: Fault[] = []
  for (const name of [
    'controller-uid',
    'job-name',
    'batch.kubernetes.io/controller-uid',
    'batch.kubernetes.io/job-name',
  ]) {
    const path = `spec.template.metadata.labels[${name}]`
    const [value, wanted] = [labels[name], expected[name]]
    if (value === undefined) {
      faults.push(required(path, `must be '${wanted}'`))
    } else if (value !== wanted) {
      faults.push(invalidValue(path, labels, `must be '${wanted}'`))
    }
  }
  if (!selectorMatches(spec.selector, expected)) {
    faults.push(invalidValue('spec.selector', spec.selector, '`selector` not auto-generated'))
  }
  return faults
}
