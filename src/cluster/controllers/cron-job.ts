import {
  type CronJob,
  isStatus,
  type Job,
  keyOf,
  kinds,
  type ObjectReference,
  parseKey,
  type Persisted,
  referenceTo,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'
import { type Schedule, isTimeZone, lastDue, parseSchedule } from './cron-schedule.ts'
import { laterOf } from './later.ts'
import { jobFor } from './scheduled-job.ts'

const cronJobKind = { kind: 'CronJob', apiVersion: 'batch/v1' }
const jobKind = { kind: 'Job', apiVersion: 'batch/v1' }
const longestWaitMs = 24 * 3_600_000
/** Start a moment late rather than a moment early. */
const lateMs = 100

type Status = NonNullable<CronJob['status']>

/** Makes jobs by the clock (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/). */
export const cronJobController: Controller = {
  name: 'cronjob-controller',
  async run(context) {
    const { informers } = context
    const cronJobs = informers.of(kinds.cronJobs)
    const jobs = informers.of(kinds.jobs)
    const queue = new WorkQueue()
    await Promise.all([cronJobs.synced, jobs.synced])
    const children = new Map<string, Map<string, Persisted<Job>>>()
    cronJobs.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(keyOf(change.object))
    })
    jobs.subscribe((change) => {
      const job = change.object
      const owner = cronJobOf(job)
      if (owner === undefined) return
      const siblings = children.get(owner.uid) ?? new Map<string, Persisted<Job>>()
      if (change.type === 'DELETED') siblings.delete(job.metadata.uid)
      else siblings.set(job.metadata.uid, job)
      if (siblings.size === 0) children.delete(owner.uid)
      else children.set(owner.uid, siblings)
      queue.add(`${job.metadata.namespace ?? ''}/${owner.name}`)
    })
    const latest = new Map<string, Persisted<CronJob>>()
    await reconcile(context, queue, async (key) => {
      const cronJob = laterOf(cronJobs.get(parseKey(key)), latest.get(key))
      if (cronJob === undefined || cronJob.metadata.deletionTimestamp !== undefined) {
        latest.delete(key)
        return undefined
      }
      const run = new CronRun(context, cronJob, [...(children.get(cronJob.metadata.uid)?.values() ?? [])])
      const next = await run.sync()
      if (run.written !== undefined) latest.set(key, run.written)
      return next
    })
  },
}

function cronJobOf(job: Persisted<Job>): { name: string; uid: string } | undefined {
  const owner = (job.metadata.ownerReferences ?? []).find(({ controller }) => controller)
  return owner?.kind === 'CronJob' ? owner : undefined
}

function endOf(job: Persisted<Job>): 'Complete' | 'Failed' | undefined {
  for (const { type, status } of job.status?.conditions ?? []) {
    if ((type === 'Complete' || type === 'Failed') && status === 'True') return type
  }
  return undefined
}

/** One look at one cron job. */
class CronRun {
  readonly #context: ControllerContext
  readonly #cronJob: Persisted<CronJob>
  readonly #children: readonly Persisted<Job>[]
  readonly #gone = new Set<string>()
  #status: Status
  written: Persisted<CronJob> | undefined

  constructor(context: ControllerContext, cronJob: Persisted<CronJob>, children: readonly Persisted<Job>[]) {
    this.#context = context
    this.#cronJob = cronJob
    this.#children = children
    this.#status = { ...cronJob.status }
  }

  async sync(): Promise<{ againAfterMs: number } | undefined> {
    await this.#trackActive()
    await this.#removeOld()
    const again = await this.#start()
    await this.#writeStatus()
    return again
  }

  async #trackActive(): Promise<void> {
    const byUid = new Map(this.#children.map((job) => [job.metadata.uid, job]))
    let active = [...(this.#status.active ?? [])]
    for (const job of this.#children) {
      const isKnown = active.some(({ uid }) => uid === job.metadata.uid)
      const end = endOf(job)
      if (!isKnown && end === undefined) {
        this.#tell(
          'Warning',
          'UnexpectedJob',
          `Saw a job that the controller did not create or forgot: ${job.metadata.name}`,
        )
      } else if (isKnown && end !== undefined) {
        active = active.filter(({ uid }) => uid !== job.metadata.uid)
        this.#tell('Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${end}`)
      }
      const completed = end === 'Complete' ? job.status?.completionTime : undefined
      if (
        completed !== undefined &&
        Date.parse(completed) > Date.parse(this.#status.lastSuccessfulTime ?? '1970-01-01')
      ) {
        this.#status = { ...this.#status, lastSuccessfulTime: completed }
      }
    }
    for (const reference of active) {
      if (reference.uid === undefined || byUid.has(reference.uid)) continue
      // The cache may not show yet what was made a moment ago.
      const at = { namespace: reference.namespace ?? '', name: reference.name ?? '' }
      const live = await unlessGone(
        this.#context.client.get(kinds.jobs, at, { signal: this.#context.signal }),
      )
      if (live?.metadata.uid === reference.uid) continue
      active = active.filter(({ uid }) => uid !== reference.uid)
      this.#tell('Normal', 'MissingJob', `Active job went missing: ${reference.name ?? ''}`)
    }
    this.#setActive(active)
  }

  async #removeOld(): Promise<void> {
    const { spec } = this.#cronJob
    const limits = [
      ['Complete', spec?.successfulJobsHistoryLimit],
      ['Failed', spec?.failedJobsHistoryLimit],
    ] as const
    for (const [end, limit] of limits) {
      if (limit === undefined) continue
      const finished = this.#children.filter(
        (job) => endOf(job) === end && job.metadata.deletionTimestamp === undefined,
      )
      finished.sort((a, b) => startOf(a) - startOf(b))
      for (const job of finished.slice(0, Math.max(0, finished.length - limit))) await this.#delete(job)
    }
  }

  async #start(): Promise<{ againAfterMs: number } | undefined> {
    const { spec, metadata } = this.#cronJob
    if (spec === undefined) return undefined
    if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
      this.#tell(
        'Warning',
        'UnknownTimeZone',
        `invalid timeZone: "${spec.timeZone}": unknown time zone ${spec.timeZone}`,
      )
      return undefined
    }
    if (spec.suspend) return undefined
    const now = this.#context.now()
    const since = Date.parse(this.#status.lastScheduleTime ?? metadata.creationTimestamp)
    let schedule: Schedule
    try {
      schedule = parseSchedule(spec.schedule, { ...(spec.timeZone && { timeZone: spec.timeZone }), since })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#tell('Warning', 'UnparseableSchedule', `unparseable schedule: "${spec.schedule}" : ${why}`)
      return undefined
    }
    const deadlineMs =
      spec.startingDeadlineSeconds === undefined ? undefined : spec.startingDeadlineSeconds * 1000
    const earliest = deadlineMs === undefined ? since : Math.max(since, now - deadlineMs)
    const due = lastDue(schedule, earliest, now)
    if (due.missed === 'many') {
      this.#tell(
        'Warning',
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      )
    }
    if (due.scheduled !== undefined) await this.#serve(due.scheduled, now, deadlineMs)
    const next = schedule.next(Math.max(now, due.scheduled ?? now))
    return next === undefined ? undefined : { againAfterMs: Math.min(next - now + lateMs, longestWaitMs) }
  }

  async #serve(scheduled: number, now: number, deadlineMs: number | undefined): Promise<void> {
    if (deadlineMs !== undefined && scheduled + deadlineMs < now) {
      this.#tell(
        'Warning',
        'MissSchedule',
        `Missed scheduled time to start a job: ${new Date(scheduled).toUTCString().replace('GMT', '+0000')}`,
      )
      return
    }
    const active = this.#status.active ?? []
    const policy = this.#cronJob.spec?.concurrencyPolicy
    if (policy === 'Forbid' && active.length > 0) {
      this.#tell(
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      )
      return
    }
    if (policy === 'Replace') {
      for (const reference of active) {
        const job = this.#children.find(({ metadata }) => metadata.uid === reference.uid)
        if (job !== undefined) await this.#delete(job)
      }
    }
    await this.#create(scheduled)
  }

  async #create(scheduled: number): Promise<void> {
    const { client, signal } = this.#context
    const { namespace = '' } = this.#cronJob.metadata
    const job = jobFor(this.#cronJob, scheduled)
    const at = { namespace, name: job.metadata?.name ?? '' }
    let made: Persisted<Job>
    try {
      made = await client.create(kinds.jobs, job, { namespace, signal })
      this.#tell('Normal', 'SuccessfulCreate', `Created job ${made.metadata.name}`)
    } catch (error) {
      if (isStatus(error, 'Forbidden') && error.message.includes('it is being terminated')) return
      if (!isStatus(error, 'AlreadyExists')) {
        this.#tell(
          'Warning',
          'FailedCreate',
          `Error creating job: ${error instanceof Error ? error.message : String(error)}`,
        )
        throw error
      }
      // Made by an earlier run that could not write it down.
      const existing = await unlessGone(client.get(kinds.jobs, at, { signal }))
      if (existing === undefined || cronJobOf(existing)?.uid !== this.#cronJob.metadata.uid) throw error
      if (endOf(existing) !== undefined) {
        this.#status = { ...this.#status, lastScheduleTime: timestamp(scheduled) }
        return
      }
      made = existing
    }
    this.#setActive([
      ...(this.#status.active ?? []).filter(({ uid }) => uid !== made.metadata.uid),
      referenceTo(made, jobKind),
    ])
    this.#status = { ...this.#status, lastScheduleTime: timestamp(scheduled) }
  }

  async #delete(job: Persisted<Job>): Promise<void> {
    const { client, signal } = this.#context
    const { namespace = '', name, uid } = job.metadata
    if (this.#gone.has(uid)) return
    const options = { propagationPolicy: 'Background', preconditions: { uid }, signal } as const
    await unlessGone(client.delete(kinds.jobs, { namespace, name }, options))
    this.#gone.add(uid)
    this.#setActive((this.#status.active ?? []).filter((reference) => reference.uid !== uid))
    this.#tell('Normal', 'SuccessfulDelete', `Deleted job ${name}`)
  }

  #setActive(active: ObjectReference[]): void {
    const { active: _old, ...rest } = this.#status
    this.#status = { ...rest, ...(active.length > 0 && { active }) }
  }

  async #writeStatus(): Promise<void> {
    const sorted = (status: Status): string =>
      JSON.stringify([status.active ?? [], status.lastScheduleTime, status.lastSuccessfulTime])
    if (sorted(this.#status) === sorted(this.#cronJob.status ?? {})) return
    const { client, signal } = this.#context
    const { namespace = '', name } = this.#cronJob.metadata
    this.written = await client.replace(
      kinds.cronJobs,
      { namespace, name },
      { ...this.#cronJob, status: this.#status },
      { subresource: 'status', signal },
    )
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(this.#cronJob, cronJobKind), type, reason, message })
  }
}

function startOf(job: Persisted<Job>): number {
  return Date.parse(job.status?.startTime ?? job.metadata.creationTimestamp)
}
