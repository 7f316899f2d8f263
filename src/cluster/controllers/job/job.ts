import {
  type Job,
  keyOf,
  kinds,
  parseKey,
  type Persisted,
  type SharedInformer,
  timestamp,
  WorkQueue,
} from '../../../kube/index.ts'
import { type Controller, type ControllerContext, TryAgain, reconcile } from '../controller.ts'
import { type Assessment, type JobView, assess, isComplete, podStep } from './assess.ts'
import { isFinished, newCondition, withCondition } from './conditions.ts'
import { type FailureStreak, noFailures } from './failure-backoff.ts'
import { type JobCondition, type JobPod, type JobSpec, type JobStatus, isTracked } from './job-pod.ts'
import { JobPods, type PodCounts } from './job-pods.ts'
import { JobStatuses } from './job-statuses.ts'
import { Orphans } from './orphans.ts'
import { OwnWrites } from './own-writes.ts'
import { PodClaims, ownerOf } from './pod-claims.ts'
import { tally, withoutReleased } from './tally.ts'

const ownName = 'kubernetes.io/job-controller'

/**
 * Runs jobs to completion (https://kubernetes.io/docs/concepts/workloads/controllers/job/): makes pods, counts how they
 * end exactly once with the help of a finalizer on each, and concludes.
 */
export const jobController: Controller = {
  name: 'job-controller',
  async run(context) {
    const { informers } = context
    const jobs = informers.of(kinds.jobs)
    const pods = informers.of(kinds.pods)
    const quotas = informers.of(kinds.resourceQuotas)
    await Promise.all([jobs.synced, pods.synced])
    const runner = new JobRunner(context, jobs)
    jobs.subscribe((change) => {
      if (change.type === 'DELETED') runner.jobGone(change.object)
      else runner.jobChanged(change.object)
    })
    pods.subscribe((change) => {
      if (change.type === 'DELETED') runner.podGone(change.object)
      else runner.podChanged(change.object)
    })
    quotas.subscribe((change) => runner.quotaChanged(change.object.metadata.namespace ?? ''))
    await runner.run()
  },
}

class JobRunner {
  readonly #context: ControllerContext
  readonly #jobs: SharedInformer<Job>
  readonly #queue = new WorkQueue({ firstMs: 1000, largestMs: 60_000 })
  readonly #orphans: Orphans
  readonly #claims: PodClaims
  readonly #streaks = new Map<string, FailureStreak>()
  readonly #statuses: JobStatuses
  readonly #ownWrites = new OwnWrites()
  readonly #pods: JobPods
  /** Jobs that could not make their pods, by namespace: room in a quota is their chance. */
  readonly #starved = new Map<string, Set<string>>()

  constructor(context: ControllerContext, jobs: SharedInformer<Job>) {
    this.#context = context
    this.#jobs = jobs
    this.#pods = new JobPods(context, this.#ownWrites)
    this.#claims = new PodClaims(context, jobs)
    this.#statuses = new JobStatuses(context, jobs)
    this.#orphans = new Orphans({ context, pods: this.#pods, onOwned: (key) => this.#queue.add(key) })
  }

  async run(): Promise<void> {
    await Promise.all([
      reconcile(this.#context, this.#queue, (key) => this.#sync(key), 8),
      this.#orphans.run(),
    ])
  }

  jobChanged(job: Persisted<Job>): void {
    this.#queue.add(keyOf(job))
    if (isFinished(job.status?.conditions)) this.#orphans.add(this.#claims.of(job.metadata.uid))
  }

  jobGone(job: Persisted<Job>): void {
    const key = keyOf(job)
    this.#statuses.forget(key)
    this.#streaks.delete(job.metadata.uid)
    this.#ownWrites.forgetJob(job.metadata.uid)
    this.#starved.get(job.metadata.namespace ?? '')?.delete(key)
    this.#orphans.add(this.#claims.of(job.metadata.uid))
  }

  podChanged(pod: JobPod): void {
    const wanting = this.#claims.observed(pod).filter(isUnfinishedOwn)
    const owner = ownerOf(pod)
    if (owner === undefined) {
      for (const job of wanting) this.#queue.add(keyOf(job))
      if (wanting.length === 0) this.#orphans.add([pod])
      return
    }
    this.#ownWrites.observed(owner.uid, pod)
    const key = `${pod.metadata.namespace ?? ''}/${owner.name}`
    const job = this.#jobs.get(parseKey(key))
    if (job?.metadata.uid === owner.uid && !isFinished(job.status?.conditions)) this.#queue.add(key)
    else this.#orphans.add([pod])
  }

  podGone(pod: JobPod): void {
    this.#orphans.gone(pod)
    this.#claims.gone(pod)
    const owner = ownerOf(pod)
    if (owner === undefined) return
    this.#ownWrites.gone(owner.uid, pod.metadata.uid)
    this.#queue.add(`${pod.metadata.namespace ?? ''}/${owner.name}`)
  }

  quotaChanged(namespace: string): void {
    for (const key of this.#starved.get(namespace) ?? []) this.#queue.add(key)
  }

  async #sync(key: string): Promise<{ againAfterMs: number } | undefined> {
    const { now } = this.#context
    const job = this.#statuses.get(key)
    const spec = job?.spec
    if (job === undefined || spec === undefined) return undefined
    if (!isUnfinishedOwn(job)) return undefined
    await this.#claims.settle(job)
    const time = timestamp(now())
    const pods = this.#ownWrites.applied(job.metadata.uid, this.#claims.of(job.metadata.uid), time)
    const before: JobStatus = job.status ?? {}
    const status: JobStatus = {
      ...before,
      ...(before.startTime === undefined && !spec.suspend && { startTime: time }),
    }
    const view: JobView = {
      spec,
      status,
      pods,
      streak: this.#streaks.get(job.metadata.uid) ?? noFailures,
      now: now(),
      isDeleting: job.metadata.deletionTimestamp !== undefined,
    }
    const assessment = assess(view, time)
    const outcome = await this.#act(job, view, assessment, time)
    await this.#track(job, { ...view, status: outcome.status }, assessment, outcome, time)
    if (outcome.failure !== undefined) throw new TryAgain(outcome.failure)
    return againAfter(assessment.againAfterMs, outcome.waitMs)
  }

  /** Makes and deletes pods; decides whether the job is complete, suspended or resumed. */
  async #act(job: Persisted<Job>, view: JobView, assessment: Assessment, time: string): Promise<Outcome> {
    const counts: PodCounts = {
      active: assessment.active.length,
      ready: assessment.ready,
      terminating: assessment.terminating,
    }
    const { spec } = view
    let { status } = view
    if (assessment.end !== undefined) {
      const failure = await this.#pods.delete(job, assessment.active, counts)
      // Not over while a pod may still be running that could not be deleted.
      return {
        status,
        counts,
        end: failure === undefined ? assessment.end : undefined,
        failure,
        waitMs: undefined,
      }
    }
    if (view.isDeleting) return { status, counts, end: undefined, failure: undefined, waitMs: undefined }
    const step = podStep(view, assessment)
    let failure: unknown
    if (step !== undefined && 'remove' in step) {
      failure = await this.#pods.delete(job, step.remove, counts, { release: true })
    } else if (step !== undefined && 'create' in step) {
      failure = await this.#pods.create(job, spec, step.create, { assessment, counts })
      this.#noteStarved(job, failure !== undefined)
    }
    const waitMs = step !== undefined && 'waitMs' in step ? step.waitMs : undefined
    if (isComplete(spec, assessment.succeeded, counts.active)) {
      const end = newCondition(
        'SuccessCriteriaMet',
        'CompletionsReached',
        'Reached expected number of succeeded pods',
        time,
      )
      return { status, counts, end, failure, waitMs }
    }
    status = this.#suspendOrResume(job, spec, status, time)
    return { status, counts, end: undefined, failure, waitMs }
  }

  #noteStarved(job: Persisted<Job>, isStarved: boolean): void {
    const namespace = job.metadata.namespace ?? ''
    const starved = this.#starved.get(namespace) ?? new Set()
    this.#starved.set(namespace, starved)
    if (isStarved) starved.add(keyOf(job))
    else starved.delete(keyOf(job))
    if (starved.size === 0) this.#starved.delete(namespace)
  }

  #suspendOrResume(job: Persisted<Job>, spec: JobSpec, status: JobStatus, time: string): JobStatus {
    const before = status.conditions ?? []
    const condition = spec.suspend
      ? newCondition('Suspended', 'JobSuspended', 'Job suspended', time)
      : newCondition('Suspended', 'JobResumed', 'Job resumed', time, 'False')
    const conditions = withCondition(before, condition)
    if (conditions === before) return status
    this.#pods.tell(job, 'Normal', spec.suspend ? 'Suspended' : 'Resumed', condition.message ?? '')
    // The deadline counts from when the job last began to run.
    const { startTime: _before, ...rest } = status
    return { ...rest, conditions, ...(!spec.suspend && { startTime: time }) }
  }

  /** Writes down what is to be counted, lets the pods go, counts them, and ends the job when it is over. */
  async #track(
    job: Persisted<Job>,
    view: JobView,
    assessment: Assessment,
    outcome: Outcome,
    time: string,
  ): Promise<void> {
    const counted = tally({
      spec: view.spec,
      status: view.status,
      pods: view.pods,
      assessment,
      end: outcome.end,
      isDeleting: view.isDeleting,
      time,
    })
    const { counts } = outcome
    let status: JobStatus = {
      ...counted.status,
      active: counts.active,
      ready: counts.ready,
      terminating: counts.terminating,
    }
    let current = await this.#statuses.write(job, status)
    this.#streaks.set(job.metadata.uid, assessment.streak)
    const tracked = new Set(view.pods.filter(isTracked).map((pod) => pod.metadata.uid))
    const { released, failure } = await this.#pods.releaseAll(counted.release)
    for (const uid of released) tracked.delete(uid)
    status = withoutReleased(current.status ?? status, tracked)
    const end = counted.isPartial || counts.terminating > 0 ? undefined : counted.end
    const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
    const isOver = end !== undefined && succeeded.length + failed.length === 0 && failure === undefined
    if (isOver) {
      status = {
        ...status,
        conditions: withCondition(status.conditions ?? [], end),
        ...(end.type === 'Complete' && { completionTime: end.lastTransitionTime }),
      }
    }
    current = await this.#statuses.write(current, status)
    if (isOver) this.#tellEnd(job, end)
    if (counted.isPartial) this.#queue.add(keyOf(job))
    if (failure !== undefined) throw failure
  }

  #tellEnd(job: Persisted<Job>, end: JobCondition): void {
    this.#streaks.delete(job.metadata.uid)
    if (end.type === 'Complete') this.#pods.tell(job, 'Normal', 'Completed', 'Job completed')
    else this.#pods.tell(job, 'Warning', end.reason ?? '', end.message ?? '')
  }
}

interface Outcome {
  readonly status: JobStatus
  readonly counts: PodCounts
  readonly end: JobCondition | undefined
  readonly failure: unknown
  readonly waitMs: number | undefined
}

function isUnfinishedOwn({ spec, status }: Persisted<Job>): boolean {
  const isOwn = spec?.managedBy === undefined || spec.managedBy === ownName
  return isOwn && !isFinished(status?.conditions)
}

function againAfter(...waits: readonly (number | undefined)[]): { againAfterMs: number } | undefined {
  const known = waits.filter((wait) => wait !== undefined)
  return known.length === 0 ? undefined : { againAfterMs: Math.max(1, Math.min(...known)) }
}
