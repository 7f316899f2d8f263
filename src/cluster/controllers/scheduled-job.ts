import { type CronJob, type Job, type Persisted, timestamp } from '../../kube/index.ts'

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** The job for one scheduled time: its name is made of that time, so that none can be made twice. */
export function jobFor(cronJob: Persisted<CronJob>, scheduled: number): Job {
  const { name, namespace, uid } = cronJob.metadata
  const template = cronJob.spec?.jobTemplate
  return {
    metadata: {
      name: `${name}-${Math.floor(scheduled / 60_000)}`,
      ...(namespace !== undefined && { namespace }),
      labels: { ...template?.metadata?.labels },
      annotations: {
        ...template?.metadata?.annotations,
        [scheduledAnnotation]: zoned(scheduled, cronJob.spec?.timeZone),
      },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    ...(template?.spec && { spec: template.spec }),
  }
}

/** RFC 3339 with the offset of the schedule's time zone. */
function zoned(time: number, timeZone: string | undefined): string {
  if (timeZone === undefined) return timestamp(time)
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(time)
  const offset = (parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT').slice('GMT'.length)
  if (offset === '') return timestamp(time)
  const [hours = '0', minutes = '0'] = offset.slice(1).split(':')
  const shiftMs = (Number(hours) * 60 + Number(minutes)) * 60_000 * (offset.startsWith('-') ? -1 : 1)
  return `${timestamp(time + shiftMs).slice(0, -1)}${offset}`
}
