import type { Job, JobStatus } from 'kubernetes-types/batch/v1.js'
import { nameWarnings, podSpecWarnings } from '../../validation/pod/warnings.ts'
import {
  ageColumn,
  column,
  containerColumns,
  humanDuration,
  nameColumn,
  selectorText,
  wideColumn,
} from '../columns.ts'
import { define, type Of } from '../define.ts'
import { isTrue } from './conditions.ts'
import { labelLikeTemplate, setJobDefaults } from './defaults.ts'
import { generateSelector } from './selector.ts'
import { validateJob } from './validate-spec.ts'
import { validateJobStatus } from './validate-status.ts'
import { validateJobUpdate } from './validate-update.ts'

export const jobs = define<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  namespaced: true,
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  defaultPropagation: 'Orphan',
  propagationWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  setDefaults: setJobDefaults,
  prepareForCreate(job, request) {
    job.status = {}
    generateSelector(job)
    labelLikeTemplate(job)
    const { spec } = job.spec?.template ?? {}
    const warnings = [
      ...nameWarnings(job.metadata.name ?? '', 'Pod names and hostnames'),
      ...(spec ? podSpecWarnings('spec.template.spec', spec) : []),
    ]
    for (const text of warnings) request.warn(text)
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  validateStatus: validateJobStatus,
  selectableFields: {
    'status.successful': ({ status }) => String(status?.succeeded ?? 0),
  },
  columns: [
    nameColumn,
    column('Status', 'Status of the job.', stateOf),
    column(
      'Completions',
      'The number of pods which reached phase Succeeded. The value increases monotonically for a given spec. However, it may decrease in reaction to scale down of elastic indexed jobs.',
      completionsText,
    ),
    column('Duration', 'Time required to complete the job.', ({ status }, now) => {
      if (status?.startTime === undefined) return ''
      const end = status.completionTime === undefined ? now : Date.parse(status.completionTime)
      return humanDuration(end - Date.parse(status.startTime))
    }),
    ageColumn,
    ...containerColumns<Job>(({ spec }) => spec?.template.spec?.containers ?? []),
    wideColumn(
      'Selector',
      'A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
})

function stateOf({ metadata, status }: Of<Job>): string {
  for (const type of ['Complete', 'Failed']) if (isTrue(status, type)) return type
  if (metadata.deletionTimestamp) return 'Terminating'
  return waypoints.find((type) => isTrue(status, type)) ?? 'Running'
}

const waypoints = ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'] satisfies NonNullable<
  JobStatus['conditions']
>[number]['type'][]

function completionsText({ spec, status }: Of<Job>): string {
  const succeeded = status?.succeeded ?? 0
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec?.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}
