import type { CronJob, CronJobSpec } from 'kubernetes-types/batch/v1.js'
import { type Fault, invalidValue, notSupported, required } from '../faults.ts'
import { notNegative, requiredChoice } from '../validation/checks.ts'
import { scheduleFault, timeZoneFault } from '../validation/cron.ts'
import { maxLength } from '../validation/names.ts'
import { podSpecWarnings } from '../validation/pod/warnings.ts'
import {
  ageColumn,
  column,
  containerColumns,
  nameColumn,
  selectorText,
  since,
  wideColumn,
} from './columns.ts'
import { define } from './define.ts'
import { validateJobSpec } from './job/validate-spec.ts'
import { setPodSpecDefaults } from './pod/defaults.ts'

/** Jobs are named after their cron job, with eleven characters more. */
const longestName = 52

export const cronJobs = define<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  namespaced: true,
  shortNames: ['cj'],
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  setDefaults(cronJob) {
    cronJob.spec ??= { schedule: '', jobTemplate: {} }
    const { spec } = cronJob
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
    spec.jobTemplate ??= {}
    spec.jobTemplate.spec ??= { template: {} }
    // The rest of a job's defaults each job gets when it is made.
    const { template } = spec.jobTemplate.spec
    template.spec ??= { containers: [] }
    setPodSpecDefaults(template.spec)
  },
  prepareForCreate(cronJob, request) {
    cronJob.status = {}
    const { spec } = cronJob.spec?.jobTemplate.spec?.template ?? {}
    if (!spec) return
    for (const text of podSpecWarnings('spec.jobTemplate.spec.template.spec', spec)) request.warn(text)
  },
  validate(cronJob, request) {
    const spec = cronJob.spec ?? { schedule: '', jobTemplate: {} }
    const { name = '' } = cronJob.metadata
    const faults: Fault[] = []
    if (request.verb === 'create') {
      faults.push(...scheduleFaults(spec, false), ...zoneFaults(spec.timeZone))
      if (name.length > longestName) {
        faults.push(invalidValue('metadata.name', name, maxLength(longestName)))
      }
    }
    return [
      ...faults,
      ...notNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
      ...requiredChoice('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
      ...templateFaults(spec),
      ...notNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
      ...notNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
    ]
  },
  validateUpdate({ spec }, old) {
    if (!spec) return []
    const hadZone = old.spec?.schedule.includes('TZ') ?? false
    return [
      ...scheduleFaults(spec, hadZone),
      ...(spec.timeZone === old.spec?.timeZone ? [] : zoneFaults(spec.timeZone)),
    ]
  },
  columns: [
    nameColumn,
    column(
      'Schedule',
      'The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron.',
      ({ spec }) => spec?.schedule ?? '',
    ),
    column(
      'Timezone',
      'The time zone name for the given schedule, see https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not specified, this will default to the time zone of the kube-controller-manager process. The set of valid time zone names and the time zone offset is loaded from the system-wide time zone database by the API server during CronJob validation and the controller manager during execution. If no system-wide time zone database can be found a bundled version of the database is used instead. If the time zone name becomes invalid during the lifetime of a CronJob or due to a change in host configuration, the controller will stop creating new new Jobs and will create a system event with the reason UnknownTimeZone. More information can be found in https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones',
      ({ spec }) => spec?.timeZone ?? '<none>',
    ),
    column(
      'Suspend',
      'This flag tells the controller to suspend subsequent executions, it does not apply to already started executions.  Defaults to false.',
      ({ spec }) => (spec?.suspend ? 'True' : 'False'),
      'boolean',
    ),
    column(
      'Active',
      'A list of pointers to currently running jobs.',
      ({ status }) => status?.active?.length ?? 0,
      'integer',
    ),
    column(
      'Last Schedule',
      'Information when was the last time the job was successfully scheduled.',
      ({ status }, now) => (status?.lastScheduleTime ? since(status.lastScheduleTime, now) : '<none>'),
    ),
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec?.jobTemplate.spec?.template.spec?.containers ?? []),
    wideColumn(
      'Selector',
      'A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      ({ spec }) => selectorText(spec?.jobTemplate.spec?.selector),
    ),
  ],
})

function scheduleFaults(spec: CronJobSpec, mayNameZone: boolean): Fault[] {
  const { schedule, timeZone } = spec
  const path = 'spec.schedule'
  if (!schedule) return [required(path)]
  const faults: Fault[] = []
  const wrong = scheduleFault(schedule)
  if (wrong !== undefined) faults.push(invalidValue(path, schedule, wrong))
  if (schedule.includes('TZ')) {
    if (!mayNameZone) {
      const text = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
      faults.push(invalidValue(path, schedule, text))
    } else if (timeZone !== undefined) {
      const text = 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
      faults.push(invalidValue(path, schedule, text))
    }
  }
  return faults
}

function zoneFaults(zone: string | undefined): Fault[] {
  const wrong = zone === undefined ? undefined : timeZoneFault(zone)
  return wrong === undefined ? [] : [invalidValue('spec.timeZone', zone, wrong)]
}

/** Jobs made from a template select their own pods, never those of the template's author. */
function templateFaults({ jobTemplate }: CronJobSpec): Fault[] {
  const path = 'spec.jobTemplate.spec'
  const spec = jobTemplate.spec ?? { template: {} }
  const faults = validateJobSpec(path, spec)
  if (spec.selector) {
    faults.push(invalidValue(`${path}.selector`, spec.selector, '`selector` will be auto-generated'))
  }
  if (spec.manualSelector) {
    faults.push(notSupported(`${path}.manualSelector`, spec.manualSelector, ['nil', 'false']))
  }
  return faults
}
