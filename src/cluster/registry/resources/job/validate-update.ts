import type { Job, JobSpec } from 'kubernetes-types/batch/v1.js'
import type { Container, PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, invalidValue } from '../../faults.ts'
import { same } from '../../validation/equality.ts'
import { immutableField } from '../../validation/metadata.ts'
import type { Of } from '../define.ts'
import { isTrue } from './conditions.ts'

/** A job that runs is what it was made as; one that waits may still be told where and with what to run. */
export function validateJobUpdate(job: Of<Job>, old: Of<Job>): Fault[] {
  const [spec, before] = [job.spec ?? { template: {} }, old.spec ?? { template: {} }]
  const fixed = (field: 'selector' | (typeof later)[number]): Fault[] =>
    immutableField(`spec.${field}`, spec[field], before[field])
  const wanted = mayStillChange(old) ? withPlacementOf(before.template, spec.template) : before.template
  return [
    ...completionFaults(spec, before),
    ...fixed('selector'),
    ...immutableField('spec.template', spec.template, wanted),
    ...later.flatMap(fixed),
  ]
}

const later = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

function completionFaults(spec: JobSpec, before: JobSpec): Fault[] {
  const path = 'spec.completions'
  if (spec.completionMode !== 'Indexed') {
    return immutableField(path, spec.completions, before.completions)
  }
  // Indexed jobs grow and shrink as a whole.
  if (same(spec.completions, before.completions) || spec.completions === undefined) return []
  return spec.completions === spec.parallelism
    ? []
    : [invalidValue(path, spec.completions, 'can only be modified in tandem with spec.parallelism')]
}

/** Suspended, and with no pod left that was made from the template as it is. */
function mayStillChange({ spec, status }: Of<Job>): boolean {
  if (!spec?.suspend) return false
  return status?.startTime === undefined || (isTrue(status, 'Suspended') && !status.active)
}

/** The old template with everything of the new one that may change while a job waits. */
function withPlacementOf(old: PodTemplateSpec, now: PodTemplateSpec): PodTemplateSpec {
  const spec = { ...(old.spec ?? { containers: [] }) }
  const next = now.spec ?? { containers: [] }
  for (const field of ['nodeSelector', 'tolerations', 'schedulingGates'] as const) {
    Object.assign(spec, { [field]: next[field] })
  }
  if (next.affinity || spec.affinity) {
    const affinity = { ...spec.affinity, nodeAffinity: next.affinity?.nodeAffinity }
    const isEmpty = Object.values(affinity).every((part) => part === undefined)
    Object.assign(spec, { affinity: isEmpty ? next.affinity && {} : affinity })
  }
  spec.containers = withResourcesOf(spec.containers ?? [], next.containers ?? [])
  if (spec.initContainers) {
    spec.initContainers = withResourcesOf(spec.initContainers, next.initContainers ?? [])
  }
  const metadata = { ...old.metadata }
  for (const field of ['labels', 'annotations'] as const) {
    Object.assign(metadata, { [field]: now.metadata?.[field] })
  }
  return { ...old, metadata, spec }
}

function withResourcesOf(old: readonly Container[], now: readonly Container[]): Container[] {
  return old.map((container, index) => {
    const { resources } = now[index] ?? {}
    return resources === undefined ? container : { ...container, resources }
  })
}
