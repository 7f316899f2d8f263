import { type JobStatus, type Persisted, type Pod, type Service, timestamp } from '../../kube/index.ts'
import { hasCondition, isFinished, type NewCondition, withCondition } from './conditions.ts'
import type { Role, StoredJob, TrainingJobKind } from './kind.ts'
import { isOfRole, replicaIndex, replicaName } from './labels.ts'
import { countRoles, replicaStatuses, withActiveSucceeded, withoutActive } from './replica-statuses.ts'

/** One thing worth telling the job's owner. */
export interface Note {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface Replica {
  readonly role: Role
  readonly index: number
}

/** What must be done for a job now. */
export interface Plan {
  readonly status: JobStatus
  /** Replicas that should be there and are not. */
  readonly missing: readonly Replica[]
  /** Replicas whose service is not there. */
  readonly missingServices: readonly Replica[]
  readonly deletePods: readonly Persisted<Pod>[]
  readonly deleteServices: readonly Persisted<Service>[]
  /** Pods among those to delete that failed and will be made anew: each counts towards the back-off limit. */
  readonly restarts: number
  readonly notes: readonly Note[]
  /** The job is past its time to live. */
  readonly isExpired: boolean
  readonly againAfterMs: number | undefined
}

export interface Observed {
  readonly job: StoredJob
  /** Those that the job owns. */
  readonly pods: readonly Persisted<Pod>[]
  readonly services: readonly Persisted<Service>[]
  /** Pods restarted so far by being deleted. */
  readonly restarts: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Decides what to do for a job. Pure: the same facts give the same plan. */
export function planJob(kind: TrainingJobKind, observed: Observed): Plan {
  const { job, now } = observed
  const created: NewCondition = {
    type: 'Created',
    reason: `${kind.type.kind}Created`,
    message: `${kind.type.kind} ${job.metadata.name} is created.`,
  }
  const status = withCondition(job.status ?? {}, created, now)
  if (isFinished(status)) return planFinished(kind, observed, status)
  const fault = kind.fault(job)
  if (fault !== undefined) return planInvalid(kind, observed, status, fault)
  if (kind.runPolicy(job).suspend) return planSuspended(kind, observed, status)
  const resumed = resume(kind, observed, status)
  const limit = exceededLimit(kind, observed, resumed)
  if (limit !== undefined) return planFailed(kind, observed, resumed, limit)
  return planRunning(kind, observed, resumed)
}

const nothing: Omit<Plan, 'status'> = {
  missing: [],
  missingServices: [],
  deletePods: [],
  deleteServices: [],
  restarts: 0,
  notes: [],
  isExpired: false,
  againAfterMs: undefined,
}

function planFinished(kind: TrainingJobKind, observed: Observed, before: JobStatus): Plan {
  const { job, pods, services, now } = observed
  const policy = kind.runPolicy(job)
  const cleans = policy.cleanPodPolicy ?? 'None'
  const deletePods = living(pods).filter(
    (pod) => cleans === 'All' || (cleans === 'Running' && (isRunning(pod) || isPending(pod))),
  )
  const gone = new Set(deletePods.map((pod) => pod.metadata.name))
  const status = hasCondition(before, 'Succeeded') ? withActiveSucceeded(before) : before
  const leftMs = timeToLiveMs(policy.ttlSecondsAfterFinished, status, now)
  return {
    ...nothing,
    status,
    deletePods,
    deleteServices: living(services).filter((service) => cleans === 'All' || gone.has(service.metadata.name)),
    isExpired: leftMs !== undefined && leftMs <= 0,
    againAfterMs: leftMs !== undefined && leftMs > 0 ? leftMs : undefined,
  }
}

function planInvalid(kind: TrainingJobKind, { pods, now }: Observed, status: JobStatus, fault: string): Plan {
  const reason = `${kind.type.kind}FailedValidation`
  const message = `${kind.type.kind} failed validation because ${fault}`
  return {
    ...nothing,
    status: withCondition(
      { ...status, completionTime: timestamp(now) },
      { type: 'Failed', reason, message },
      now,
    ),
    deletePods: living(pods),
    notes: [{ type: 'Warning', reason, message }],
  }
}

function planSuspended(kind: TrainingJobKind, observed: Observed, before: JobStatus): Plan {
  const { job, pods, services, now } = observed
  const reason = `${kind.type.kind}Suspended`
  const message = `${kind.type.kind} ${job.metadata.name} is suspended.`
  let status = withoutActive(before)
  if (hasCondition(status, 'Running'))
    status = withCondition(status, { type: 'Running', status: 'False', reason, message }, now)
  const isNew = !hasCondition(status, 'Suspended')
  if (isNew) status = withCondition(status, { type: 'Suspended', reason, message }, now)
  return {
    ...nothing,
    status,
    deletePods: living(pods),
    deleteServices: living(services),
    notes: isNew ? [{ type: 'Normal', reason, message }] : [],
  }
}

/** The status of a job that was suspended before: its time starts anew. */
function resume(kind: TrainingJobKind, { job, now }: Observed, status: JobStatus): JobStatus {
  if (!hasCondition(status, 'Suspended')) return status
  const resumed: NewCondition = {
    type: 'Suspended',
    status: 'False',
    reason: `${kind.type.kind}Resumed`,
    message: `${kind.type.kind} ${job.metadata.name} is resumed.`,
  }
  const next = { ...withCondition(status, resumed, now) }
  delete next.startTime
  return next
}

/** Why the job has to be given up now. */
function exceededLimit(kind: TrainingJobKind, observed: Observed, status: JobStatus): string | undefined {
  const { job, now } = observed
  const { backoffLimit, activeDeadlineSeconds } = kind.runPolicy(job)
  const name = job.metadata.name
  if (backoffLimit !== undefined && isPastBackoff(kind, observed, backoffLimit))
    return `Job ${name} has failed because it has reached the specified backoff limit`
  const leftMs = deadlineMs(activeDeadlineSeconds, status, now)
  if (leftMs !== undefined && leftMs <= 0)
    return `Job ${name} has failed because it was active longer than specified deadline`
  return undefined
}

/** As Kubeflow's operator counts: a limit of 0 allows no restart, the failure after the last allowed one is the end. */
function isPastBackoff(kind: TrainingJobKind, { job, pods, restarts }: Observed, limit: number): boolean {
  let containers = 0
  let failures = restarts
  for (const role of kind.roles(job)) {
    if (role.restartPolicy === 'Never') continue
    for (const pod of pods) {
      if (!isOfRole(pod, role)) continue
      if (mustRestart(kind, role, pod)) failures += 1
      for (const container of pod.status?.containerStatuses ?? []) containers += container.restartCount
    }
  }
  return failures > limit || (limit === 0 ? containers > 0 : containers >= limit)
}

function planFailed(kind: TrainingJobKind, observed: Observed, before: JobStatus, message: string): Plan {
  const { pods, services, now } = observed
  const reason = `${kind.type.kind}Failed`
  const counted = { ...before, ...replicaStatuses(kind, observed), completionTime: timestamp(now) }
  return {
    ...nothing,
    status: withCondition(withoutActive(counted), { type: 'Failed', reason, message }, now),
    deletePods: living(pods),
    deleteServices: living(services),
    notes: [{ type: 'Normal', reason, message }],
  }
}

function planRunning(kind: TrainingJobKind, observed: Observed, before: JobStatus): Plan {
  const { job, pods, services, now } = observed
  const roles = kind.roles(job)
  const counts = countRoles(kind, observed)
  const restarting = roles.flatMap((role) =>
    living(pods)
      .filter((pod) => isOfRole(pod, role) && mustRestart(kind, role, pod))
      .map((pod) => ({ role, pod })),
  )
  let status: JobStatus = { ...before, ...replicaStatuses(kind, observed) }
  const missing = missingReplicas(job, roles, pods)
  // Waiting for room is not running: a job starts when all of its pods are there.
  if (pods.length > 0 && missing.length === 0 && status.startTime === undefined)
    status = { ...status, startTime: timestamp(now) }
  const notes: Note[] = []
  for (const { role } of restarting) {
    const message = `${kind.type.kind} ${job.metadata.name} is restarting because ${role.name} replica(s) failed.`
    const reason = `${kind.type.kind}Restarting`
    notes.push({ type: 'Warning', reason, message })
    status = withCondition(status, { type: 'Restarting', reason, message }, now)
  }
  for (const verdict of kind.judge(job, counts, pods)) {
    if (verdict.type === 'Failed' && hasCondition(status, 'Restarting')) continue
    const reason = `${kind.type.kind}${verdict.type}`
    const next = withCondition(status, { ...verdict, reason }, now)
    if (next === status) continue
    const isEnd = verdict.type !== 'Running'
    if (isEnd) notes.push({ type: 'Normal', reason, message: verdict.message })
    status = isEnd ? { ...next, completionTime: next.completionTime ?? timestamp(now) } : next
  }
  const isOver = isFinished(status)
  const leftMs = deadlineMs(kind.runPolicy(job).activeDeadlineSeconds, status, now)
  return {
    ...nothing,
    status,
    missing: isOver ? [] : missing,
    missingServices: isOver ? [] : missingReplicas(job, roles, services),
    deletePods: isOver ? [] : [...restarting.map(({ pod }) => pod), ...surplus(roles, pods)],
    deleteServices: isOver ? [] : surplus(roles, services),
    restarts: isOver ? 0 : restarting.length,
    notes,
    againAfterMs: !isOver && leftMs !== undefined && leftMs > 0 ? leftMs : undefined,
  }
}

/** Replicas for which there is no such object. One that is being deleted still has the name. */
function missingReplicas(
  job: StoredJob,
  roles: readonly Role[],
  objects: readonly { readonly metadata: { readonly name: string } }[],
): Replica[] {
  const names = new Set(objects.map((object) => object.metadata.name))
  return roles.flatMap((role) =>
    Array.from({ length: role.replicas }, (_, index) => ({ role, index })).filter(
      (replica) => !names.has(replicaName(job, replica.role, replica.index)),
    ),
  )
}

/** A failed pod whose role wants it made anew. Containers that end with 128 or more were killed: worth another try. */
function mustRestart(kind: TrainingJobKind, role: Role, pod: Persisted<Pod>): boolean {
  if (pod.status?.phase !== 'Failed' || pod.metadata.deletionTimestamp) return false
  if (role.restartPolicy === 'Never') return false
  if (role.restartPolicy !== 'ExitCode') return true
  const trained = pod.status.containerStatuses?.find((container) => container.name === kind.container)
  return (trained?.state?.terminated?.exitCode ?? 0) >= 128
}

/** What belongs to replicas that the job no longer wants. */
function surplus<T extends Persisted<Pod> | Persisted<Service>>(
  roles: readonly Role[],
  objects: readonly T[],
): T[] {
  return living(objects).filter((object) => {
    const role = roles.find((one) => isOfRole(object, one))
    const index = replicaIndex(object)
    return role === undefined || index === undefined || index >= role.replicas
  })
}

function timeToLiveMs(seconds: number | undefined, status: JobStatus, now: number): number | undefined {
  if (seconds === undefined || !status.completionTime) return undefined
  return Date.parse(status.completionTime) + seconds * 1000 - now
}

function deadlineMs(seconds: number | undefined, status: JobStatus, now: number): number | undefined {
  if (seconds === undefined || !status.startTime) return undefined
  return Date.parse(status.startTime) + seconds * 1000 - now
}

function living<T extends { metadata: { deletionTimestamp?: string } }>(objects: readonly T[]): T[] {
  return objects.filter((object) => !object.metadata.deletionTimestamp)
}

function isRunning(pod: Persisted<Pod>): boolean {
  return pod.status?.phase === 'Running'
}

function isPending(pod: Persisted<Pod>): boolean {
  return pod.status?.phase === 'Pending' || pod.status?.phase === undefined
}
