import type { Persisted, Deployment } from '../../../kube/index.ts'
import { active, availableOf, fenceposts, sizeOf, total } from './sizes.ts'
import type { Generation, Owner, OwnerStatus } from './template.ts'

export type Condition = NonNullable<OwnerStatus['conditions']>[number]
type Wanted = Pick<Condition, 'type' | 'status'> & { reason: string; message: string }

/** A deadline of this many seconds is none. */
const endless = 2_147_483_647

export function hasDeadline({ spec }: Owner): boolean {
  return spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== endless
}

export function conditionOf(status: OwnerStatus | undefined, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

/** A condition that says nothing new keeps its times. */
export function withCondition(status: OwnerStatus, wanted: Wanted, now: string): OwnerStatus {
  const before = conditionOf(status, wanted.type)
  if (before?.status === wanted.status && before.reason === wanted.reason) return status
  const lastTransitionTime = before?.status === wanted.status ? before.lastTransitionTime : undefined
  const condition = { ...wanted, lastUpdateTime: now, lastTransitionTime: lastTransitionTime ?? now }
  return { ...status, conditions: [...others(status, wanted.type), condition] }
}

function withoutCondition(status: OwnerStatus, type: string): OwnerStatus {
  if (conditionOf(status, type) === undefined) return status
  const { conditions: _conditions, ...rest } = status
  const left = others(status, type)
  return left.length === 0 ? rest : { ...rest, conditions: left }
}

const others = (status: OwnerStatus, type: string): Condition[] =>
  (status.conditions ?? []).filter((condition) => condition.type !== type)

/** The counts of the status, and whether enough pods are available. */
export function countedStatus(
  owner: Owner,
  newest: Generation | undefined,
  all: readonly Generation[],
  now: string,
): OwnerStatus {
  const { spec, status: before } = owner
  const available = total(all, availableOf)
  const counts = {
    observedGeneration: owner.metadata.generation ?? 0,
    replicas: total(all, replicasIn),
    updatedReplicas: newest ? replicasIn(newest) : 0,
    readyReplicas: total(all, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total(all, sizeOf) - available),
  }
  const shown = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
  const status: OwnerStatus = {
    ...shown,
    ...(before?.collisionCount !== undefined && { collisionCount: before.collisionCount }),
    ...(before?.conditions && { conditions: before.conditions }),
  }
  const least = (spec?.replicas ?? 1) - fenceposts(spec).unavailable
  const isEnough = available >= least
  return withCondition(
    status,
    {
      type: 'Available',
      status: isEnough ? 'True' : 'False',
      reason: isEnough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      message: `Deployment ${isEnough ? 'has' : 'does not have'} minimum availability.`,
    },
    now,
  )
}

export const replicasIn = ({ status }: Generation): number => status?.replicas ?? 0

/** The status in the middle or at the end of a rollout: the counts, how it goes, what fails. */
export function rolloutStatus(
  owner: Owner,
  newest: Generation | undefined,
  all: readonly Generation[],
  now: { readonly ms: number; readonly text: string },
): OwnerStatus {
  let status = countedStatus(owner, newest, all, now.text)
  const before = conditionOf(owner.status, 'Progressing')
  if (!hasDeadline(owner)) status = withoutCondition(status, 'Progressing')
  const isOver =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && before?.reason === 'NewReplicaSetAvailable'
  if (hasDeadline(owner) && !isOver) status = withProgress(owner, newest, status, now)
  const failure = failureOf(newest, all)
  return failure === undefined
    ? withoutCondition(status, 'ReplicaFailure')
    : withCondition(status, failure, now.text)
}

function withProgress(
  owner: Owner,
  newest: Generation | undefined,
  status: OwnerStatus,
  now: { readonly ms: number; readonly text: string },
): OwnerStatus {
  const who = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${owner.metadata.name}"`
  const type = 'Progressing'
  if (isComplete(owner, status)) {
    const message = `${who} has successfully progressed.`
    return withCondition(
      status,
      { type, status: 'True', reason: 'NewReplicaSetAvailable', message },
      now.text,
    )
  }
  const before = conditionOf(owner.status, type)
  if (isProgressing(owner.status ?? {}, status)) {
    const wanted = { type, status: 'True', reason: 'ReplicaSetUpdated', message: `${who} is progressing.` }
    // The clock of the deadline starts anew with every step, even where the condition says the same as before.
    const fresh = withCondition(withoutCondition(status, type), wanted, now.text)
    if (before?.status !== 'True' || before.lastTransitionTime === undefined) return fresh
    const { lastTransitionTime } = before
    return {
      ...fresh,
      conditions: (fresh.conditions ?? []).map((condition) =>
        condition.type === type ? { ...condition, lastTransitionTime } : condition,
      ),
    }
  }
  if (!hasTimedOut(owner, status, now.ms)) return status
  const message = `${who} has timed out progressing.`
  return withCondition(
    status,
    { type, status: 'False', reason: 'ProgressDeadlineExceeded', message },
    now.text,
  )
}

export function isComplete({ metadata, spec }: Owner, status: OwnerStatus | undefined): boolean {
  const { replicas = 1 } = spec ?? {}
  return (
    (status?.updatedReplicas ?? 0) === replicas &&
    (status?.replicas ?? 0) === replicas &&
    (status?.availableReplicas ?? 0) === replicas &&
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  )
}

function isProgressing(before: OwnerStatus, status: OwnerStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: OwnerStatus): number => replicas - updatedReplicas
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(status) < old(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function hasTimedOut(owner: Owner, status: OwnerStatus, nowMs: number): boolean {
  const condition = conditionOf(status, 'Progressing')
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false
  return condition.reason === 'ProgressDeadlineExceeded' || deadlineOf(owner, condition) < nowMs
}

function deadlineOf({ spec }: Owner, { lastUpdateTime, lastTransitionTime }: Condition): number {
  const from = Date.parse(lastUpdateTime ?? lastTransitionTime ?? '')
  return from + (spec?.progressDeadlineSeconds ?? 0) * 1000
}

/** When to look again whether the rollout is stuck; undefined when it cannot get stuck. */
export function msToDeadline(
  owner: Persisted<Deployment>,
  status: OwnerStatus,
  nowMs: number,
): number | undefined {
  const condition = conditionOf(status, 'Progressing')
  if (condition === undefined || !hasDeadline(owner) || owner.spec?.paused === true) return undefined
  if (isComplete(owner, status)) return undefined
  if (condition.reason === 'ProgressDeadlineExceeded' || condition.reason === 'NewReplicaSetAvailable') {
    return undefined
  }
  return Math.max(0, deadlineOf(owner, condition) - nowMs) + 1000
}

function failureOf(newest: Generation | undefined, all: readonly Generation[]): Wanted | undefined {
  for (const set of newest ? [newest, ...all] : all) {
    const failure = set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
    if (failure === undefined) continue
    const { type, status, reason = '', message = '' } = failure
    return { type, status, reason, message }
  }
  return undefined
}

/** The one replica set that a deployment outside of a rollout has; undefined in the middle of one. */
export function onlyActive(
  newest: Generation | undefined,
  old: readonly Generation[],
  newestFirst: (sets: readonly Generation[]) => Generation[],
): Generation | undefined {
  const running = active(newest ? [...old, newest] : old)
  if (running.length > 1) return undefined
  return running[0] ?? newest ?? newestFirst(old)[0]
}
