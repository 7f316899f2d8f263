import {
  Backoff,
  type Informer,
  type Persisted,
  type Pod,
  type PriorityClass,
  type ResourceQuota,
} from '../kube/index.ts'
import type { JobState } from './job-state.ts'
import { demandOf } from './quota-room.ts'
import type { StoredJob } from './training-job/kind.ts'
import { buildPod } from './training-job/objects.ts'
import { type Wait, type Waiting, waitsOf } from './waiting-line.ts'

/** Who waits for quota in a namespace, over all kinds of jobs. */
export interface NamespaceQueue {
  /** Jobs that lack pods, by {@link lineKey}, each with the reason why it must wait; undefined: it may start. */
  line(namespace: string): ReadonlyMap<string, Wait | undefined>
  /** Jobs, pods or quotas of the namespace have changed. */
  invalidate(namespace: string): void
  /** The server refuses this job for a reason that is not quota: it must not hold up others. */
  noteRefused(job: StoredJob): void
  /** The server sees less room than this queue does: ask it less and less often. Returns how long to leave it alone. */
  noteNoRoom(job: StoredJob): number
  /** How long to leave the server alone with this job; 0: not at all. */
  pauseMs(job: StoredJob): number
  noteAccepted(job: StoredJob): void
  forget(uid: string): void
}

export function lineKey(state: JobState, job: StoredJob): string {
  return `${state.kind.type.plural}/${job.metadata.name}`
}

export function createNamespaceQueue(options: {
  readonly states: readonly JobState[]
  readonly quotas: Informer<ResourceQuota>
  readonly priorities: Informer<PriorityClass>
  readonly now: () => number
}): NamespaceQueue {
  const { states, quotas, priorities, now } = options
  const refused = new Set<string>()
  const lines = new Map<string, ReadonlyMap<string, Wait | undefined>>()
  const pauses = new Map<string, { backoff: Backoff; until: number }>()
  // Building the pods of every waiting job for every question would make long lines slow.
  const podsOfJob = new WeakMap<StoredJob, readonly Pod[]>()

  function priorityOf(pods: readonly Pod[], policyClass: string | undefined): number {
    const name = pods.find((pod) => pod.spec?.priorityClassName)?.spec?.priorityClassName ?? policyClass
    if (name !== undefined) return priorities.get({ name })?.value ?? 0
    return priorities.list().find((one) => one.globalDefault)?.value ?? 0
  }

  function missingPods(state: JobState, job: StoredJob): readonly Pod[] {
    const hasNothing = state.podsOf(job).length === 0
    const known = hasNothing ? podsOfJob.get(job) : undefined
    if (known) return known
    const pods = state.plan(job).missing.map(({ role, index }) => buildPod(state.kind, job, role, index))
    if (hasNothing) podsOfJob.set(job, pods)
    return pods
  }

  function waitingOf(state: JobState, key: string, limits: readonly Persisted<ResourceQuota>[]): Waiting[] {
    const job = state.jobs.objects.get(key)
    if (!job || job.metadata.deletionTimestamp || refused.has(job.metadata.uid)) return []
    const pods = missingPods(state, job)
    if (pods.length === 0) return []
    return [
      {
        key: lineKey(state, job),
        title: `${state.kind.type.kind} ${job.metadata.name}`,
        hasStarted: job.status?.startTime !== undefined,
        priority: priorityOf(pods, state.kind.runPolicy(job).schedulingPolicy?.priorityClass),
        createdAt: Date.parse(job.metadata.creationTimestamp),
        demand: demandOf(pods, limits),
      },
    ]
  }

  function computeLine(namespace: string): ReadonlyMap<string, Wait | undefined> {
    const limits = quotas.list(namespace).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    const waiting = states.flatMap((state) =>
      [...state.keysIn(namespace)].flatMap((key) => waitingOf(state, key, limits)),
    )
    const waits = waitsOf(waiting)
    return new Map(waiting.map(({ key }) => [key, waits.get(key)]))
  }

  return {
    line(namespace) {
      let found = lines.get(namespace)
      if (!found) {
        found = computeLine(namespace)
        lines.set(namespace, found)
      }
      return found
    },
    invalidate: (namespace) => lines.delete(namespace),
    noteRefused(job) {
      refused.add(job.metadata.uid)
      lines.delete(job.metadata.namespace ?? '')
    },
    noteNoRoom(job) {
      const { uid } = job.metadata
      const backoff = pauses.get(uid)?.backoff ?? new Backoff({ firstMs: 500, largestMs: 30_000 })
      const pause = backoff.next()
      pauses.set(uid, { backoff, until: now() + pause })
      return pause
    },
    pauseMs: (job) => Math.max(0, (pauses.get(job.metadata.uid)?.until ?? 0) - now()),
    noteAccepted(job) {
      if (refused.delete(job.metadata.uid)) lines.delete(job.metadata.namespace ?? '')
      pauses.delete(job.metadata.uid)
    },
    forget(uid) {
      refused.delete(uid)
      pauses.delete(uid)
    },
  }
}
