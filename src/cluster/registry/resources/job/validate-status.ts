import type { Job, JobStatus } from 'kubernetes-types/batch/v1.js'
import { duplicate, type Fault, invalidValue, required } from '../../faults.ts'
import { invalidWhole, notNegative } from '../../validation/checks.ts'
import type { Of } from '../define.ts'
import { isFinished, isTrue } from './conditions.ts'
import { countIndexes } from './indexes.ts'

/** What a controller may say of a job: no count goes back, and what has ended stays ended. */
export function validateJobStatus(job: Of<Job>, old: Of<Job>): Fault[] {
  const [status, before] = [job.status ?? {}, old.status ?? {}]
  return [
    ...countFaults(status),
    ...uncountedFaults(status),
    ...conditionFaults(status),
    ...(isFinished(status) && !isFinished(before) ? endFaults(status) : []),
    ...timeFaults(status),
    ...indexFaults(job, old),
    ...changeFaults(job, old),
  ]
}

function countFaults(status: JobStatus): Fault[] {
  const fields = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const
  const faults = fields.flatMap((field) => notNegative(`status.${field}`, status[field]))
  if ((status.ready ?? 0) > (status.active ?? 0)) {
    faults.push(invalidValue('status.ready', status.ready ?? 0, 'cannot set more ready pods than active'))
  }
  return faults
}

function uncountedFaults({ uncountedTerminatedPods: pods }: JobStatus): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const field of ['succeeded', 'failed'] as const) {
    for (const [index, uid] of (pods?.[field] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${field}[${index}]`
      if (uid === '') faults.push(invalidValue(path, uid, 'must not be empty'))
      else if (seen.has(uid)) faults.push(duplicate(path, uid))
      seen.add(uid)
    }
  }
  return faults
}

const contradictions: [one: string, other: string, text: string][] = [
  ['Complete', 'Failed', 'cannot set Complete=True and Failed=true conditions'],
  ['Complete', 'FailureTarget', 'cannot set Complete=True and FailureTarget=true conditions'],
  ['SuccessCriteriaMet', 'Failed', 'cannot set SuccessCriteriaMet=True and Failed=true conditions'],
  [
    'SuccessCriteriaMet',
    'FailureTarget',
    'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
  ],
]

function conditionFaults(status: JobStatus): Fault[] {
  return contradictions
    .filter(([one, other]) => isTrue(status, one) && isTrue(status, other))
    .map(([, , text]) => invalidWhole('status.conditions', text))
}

/** A job ends in two steps: its end is announced, and comes when no pod runs any more. */
function endFaults(status: JobStatus): Fault[] {
  const faults: Fault[] = []
  const whole = (text: string): void => {
    faults.push(invalidWhole('status.conditions', text))
  }
  if (isTrue(status, 'Complete') && status.completionTime === undefined) {
    faults.push(required('status.completionTime', 'completionTime is required for Complete jobs'))
  }
  if (isTrue(status, 'Failed') && !isTrue(status, 'FailureTarget')) {
    whole('cannot set Failed=True condition without the FailureTarget=true condition')
  }
  if (isTrue(status, 'Complete') && !isTrue(status, 'SuccessCriteriaMet')) {
    whole('cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  }
  if (status.active) {
    faults.push(invalidValue('status.active', status.active, 'active>0 is invalid for finished job'))
  }
  if (status.startTime === undefined) {
    faults.push(required('status.startTime', 'startTime is required for finished job'))
  }
  const { uncountedTerminatedPods: pods } = status
  if ((pods?.failed?.length ?? 0) + (pods?.succeeded?.length ?? 0) > 0) {
    faults.push(
      invalidValue(
        'status.uncountedTerminatedPods',
        pods,
        'uncountedTerminatedPods needs to be empty for finished job',
      ),
    )
  }
  if (status.terminating) {
    faults.push(
      invalidValue('status.terminating', status.terminating, 'terminating>0 is invalid for finished job'),
    )
  }
  return faults
}

function timeFaults(status: JobStatus): Fault[] {
  const { startTime, completionTime } = status
  if (completionTime === undefined) return []
  const path = 'status.completionTime'
  const faults: Fault[] = []
  if (!isTrue(status, 'Complete')) {
    faults.push(
      invalidValue(
        path,
        completionTime,
        'cannot set completionTime when there is no Complete=True condition',
      ),
    )
  }
  if (startTime !== undefined && Date.parse(completionTime) < Date.parse(startTime)) {
    faults.push(invalidValue(path, completionTime, 'completionTime cannot be set before startTime'))
  }
  return faults
}

function indexFaults({ spec, status }: Of<Job>, old: Of<Job>): Fault[] {
  const faults: Fault[] = []
  for (const field of ['completedIndexes', 'failedIndexes'] as const) {
    const text = status?.[field]
    if (text === undefined || text === old.status?.[field]) continue
    const path = `status.${field}`
    if (field === 'completedIndexes' && text !== '' && spec?.completionMode !== 'Indexed') {
      const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode'
      faults.push(invalidValue(path, text, detail))
    }
    if (field === 'failedIndexes' && spec?.backoffLimitPerIndex === undefined) {
      const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
      faults.push(invalidValue(path, text, detail))
    }
    if (spec?.completions === undefined) continue
    const found = countIndexes(text, spec.completions)
    if (typeof found === 'number') continue
    faults.push(invalidValue(path, text, `error parsing ${field}: ${found.fault}`))
  }
  return faults
}

function changeFaults(job: Of<Job>, old: Of<Job>): Fault[] {
  const [status, before] = [job.status ?? {}, old.status ?? {}]
  const faults: Fault[] = []
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (!isTrue(before, type) || isTrue(status, type)) continue
    faults.push(invalidWhole('status.conditions', `cannot disable the terminal ${type}=True condition`))
  }
  for (const field of ['failed', 'succeeded'] as const) {
    // Indexed jobs may shrink, and with them the number of indexes that have succeeded.
    if (field === 'succeeded' && job.spec?.completionMode === 'Indexed') continue
    const count = status[field] ?? 0
    if (count < (before[field] ?? 0)) {
      faults.push(invalidValue(`status.${field}`, count, `cannot decrease the ${field} counter`))
    }
  }
  const { completionTime, startTime } = status
  if (completionTime && before.completionTime && completionTime !== before.completionTime) {
    faults.push(invalidValue('status.completionTime', completionTime, 'completionTime cannot be mutated'))
  }
  if (before.startTime && before.startTime !== startTime && !job.spec?.suspend) {
    faults.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'))
  }
  if (isTrue(before, 'SuccessCriteriaMet') && !isTrue(status, 'SuccessCriteriaMet')) {
    faults.push(invalidWhole('status.conditions', 'cannot disable the SuccessCriteriaMet=True condition'))
  }
  return faults
}
