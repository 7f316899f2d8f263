import type { Job, JobSpec } from 'kubernetes-types/batch/v1.js'
import { type Fault, invalidValue, notSupported, required, tooLong } from '../../faults.ts'
import type { ResourceRequest } from '../../request.ts'
import {
  domainPrefixedPath,
  notNegative,
  optionalChoice,
  selectorMatches,
  validateLabelSelector,
} from '../../validation/checks.ts'
import { byteLength, dnsLabel } from '../../validation/names.ts'
import { validatePodTemplate } from '../../validation/pod/pod-spec.ts'
import type { Of } from '../define.ts'
import { validateFailurePolicy, validateReplacementPolicy, validateSuccessPolicy } from './policies.ts'
import { validateGeneratedSelector } from './selector.ts'

/** Indexes are kept as text in the status: these bounds keep the text short. */
const most = {
  indexedParallelism: 100_000,
  failedIndexes: 100_000,
  completionsForLoose: 100_000,
  parallelismBeyond: 10_000,
  failedIndexesBeyond: 10_000,
  managedByBytes: 63,
}

export function validateJob(job: Of<Job>, request: Pick<ResourceRequest, 'verb'>): Fault[] {
  const spec = job.spec ?? { template: {} }
  const isNew = request.verb === 'create'
  const faults = [
    ...(isNew ? validateGeneratedSelector(job) : []),
    ...validateJobSpec('spec', spec),
    ...(spec.selector ? validateLabelSelector('spec.selector', spec.selector) : [required('spec.selector')]),
  ]
  const { labels } = spec.template.metadata ?? {}
  if (!selectorMatches(spec.selector, labels)) {
    const text = '`selector` does not match template `labels`'
    faults.push(invalidValue('spec.template.metadata.labels', labels ?? null, text))
  }
  return isNew ? [...faults, ...hostnameFaults(job)] : faults
}

/** Pods of an indexed job are called by their index, and the highest has the longest name. */
function hostnameFaults({ metadata, spec }: Of<Job>): Fault[] {
  if (spec?.completionMode !== 'Indexed' || !spec.completions) return []
  const { name = '' } = metadata
  const longest = `${name}-${spec.completions - 1}`
  if (dnsLabel(longest).length === 0) return []
  const text = `will not able to create pod with invalid DNS label: ${longest}`
  return [invalidValue('metadata.name', name, text)]
}

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const

/** What holds for a job's spec wherever it stands. */
export function validateJobSpec(path: string, spec: JobSpec): Fault[] {
  const faults = counts.flatMap((field) => notNegative(`${path}.${field}`, spec[field]))
  const { maxFailedIndexes, backoffLimitPerIndex, managedBy, completionMode } = spec
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    faults.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  if (managedBy !== undefined) {
    faults.push(...domainPrefixedPath(`${path}.managedBy`, managedBy))
    if (byteLength(managedBy) > most.managedByBytes) {
      faults.push(tooLong(`${path}.managedBy`, most.managedByBytes))
    }
  }
  faults.push(
    ...optionalChoice(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']),
    ...(completionMode === 'Indexed' ? indexedFaults(path, spec) : []),
  )
  if (completionMode === undefined || completionMode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      const value = spec[field]
      if (value === undefined) continue
      faults.push(invalidValue(`${path}.${field}`, value, 'requires indexed completion mode'))
    }
  }
  if (spec.podFailurePolicy) faults.push(...validateFailurePolicy(`${path}.podFailurePolicy`, spec))
  if (spec.successPolicy) {
    const at = `${path}.successPolicy`
    if (completionMode === 'Indexed') faults.push(...validateSuccessPolicy(at, spec))
    else faults.push(invalidValue(at, spec.successPolicy, 'requires indexed completion mode'))
  }
  return [
    ...faults,
    ...validateReplacementPolicy(`${path}.podReplacementPolicy`, spec),
    ...validatePodTemplate(`${path}.template`, spec.template),
    ...restartFaults(`${path}.template.spec.restartPolicy`, spec),
  ]
}

function indexedFaults(path: string, spec: JobSpec): Fault[] {
  const { completions, parallelism, maxFailedIndexes: failed, backoffLimitPerIndex } = spec
  const faults: Fault[] = []
  if (completions === undefined) {
    faults.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  }
  const atMost = (field: string, value: number | undefined, limit: number, rest = ''): void => {
    if (value === undefined || value <= limit) return
    faults.push(invalidValue(`${path}.${field}`, value, `must be less than or equal to ${limit}${rest}`))
  }
  atMost('parallelism', parallelism, most.indexedParallelism, ' when completion mode is Indexed')
  if (completions !== undefined && failed !== undefined && failed > completions) {
    faults.push(invalidValue(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions'))
  }
  atMost('maxFailedIndexes', failed, most.failedIndexes)
  if ((completions ?? 0) > most.completionsForLoose && backoffLimitPerIndex !== undefined) {
    if (failed === undefined) {
      faults.push(
        required(
          `${path}.maxFailedIndexes`,
          `must be specified when completions is above ${most.completionsForLoose}`,
        ),
      )
    }
    const rest = ` when completions are above ${most.completionsForLoose} and used with backoff limit per index`
    atMost('parallelism', parallelism, most.parallelismBeyond, rest)
    atMost('maxFailedIndexes', failed, most.failedIndexesBeyond, rest)
  }
  return faults
}

/** A pod that restarts for ever would never complete its job. */
function restartFaults(path: string, spec: JobSpec): Fault[] {
  const policy = spec.template.spec?.restartPolicy
  if (!policy || policy === 'Always') {
    return [required(path, 'valid values: "OnFailure", "Never"')]
  }
  if (policy !== 'OnFailure' && policy !== 'Never') {
    return [notSupported(path, policy, ['OnFailure', 'Never'])]
  }
  return spec.podFailurePolicy && policy !== 'Never'
    ? [invalidValue(path, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : []
}
