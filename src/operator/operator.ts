import { setInterval } from 'node:timers/promises'
import {
  createEventRecorder,
  isStatus,
  keyOf,
  kinds,
  type KubeClient,
  ownSignal,
  type Persisted,
  type Pod,
  runReconciler,
  startInformer,
  WorkQueue,
} from '../kube/index.ts'
import { createJobState, type JobState } from './job-state.ts'
import { trainingJobKinds } from './kinds/table.ts'
import { createNamespaceQueue, lineKey } from './namespace-queue.ts'
import { controllerOf, indexByOwner } from './owned-objects.ts'
import { reconcileJob } from './reconcile-job.ts'
import { operatorLabel } from './training-job/labels.ts'
import type { Wait } from './waiting-line.ts'

/** Events come in bursts; a namespace's line is looked at once for all of them. */
const gatherMs = 20
/** In case a quota grew without a word. */
const lookAgainMs = 30_000

/** What the operator works with. */
export interface OperatorOptions {
  readonly client: KubeClient
  readonly signal: AbortSignal
  /** Told of failures that will be retried. */
  readonly onError?: (error: unknown) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Jobs of a kind worked on at a time. */
  readonly concurrency?: number
}

/** An operator at work; it ends with its signal. */
export interface Operator {
  /** Settles when the operator knows all jobs and has begun to work; rejects when it is stopped before. */
  readonly ready: Promise<void>
  /** Settles when the work in hand is done, after the signal. Never rejects. */
  readonly stopped: Promise<void>
}

/**
 * Runs training jobs until the signal aborts: a pure API client, for the embedded cluster as well as beside any Kubernetes
 * that has the CRDs of {@link operatorCrds} and an account with the rights of {@link operatorClusterRole}.
 *
 * @example
 * ```ts
 * const operator = startOperator({ client, signal })
 * await operator.ready
 * ```
 */
export function startOperator(options: OperatorOptions): Operator {
  const { client } = options
  const signal = ownSignal(options.signal)
  const now = options.now ?? Date.now
  const onError = (error: unknown): void => {
    if (!signal.aborted) options.onError?.(error)
  }
  const watch = { signal, onError }
  const quotas = startInformer(client, kinds.resourceQuotas, watch)
  const priorities = startInformer(client, kinds.priorityClasses, watch)
  const namespaces = new WorkQueue()

  /** The reason to wait that a job knows of, by uid. */
  const told = new Map<string, string>()
  const states: JobState[] = []
  const line = createNamespaceQueue({ states, quotas, priorities, now })
  const kick = (namespace = ''): void => {
    line.invalidate(namespace)
    namespaces.addAfter(namespace, gatherMs)
  }

  const running = trainingJobKinds.map((kind) => {
    const labelSelector = `${operatorLabel}=${kind.controllerName}`
    const jobs = startInformer(client, kind.type, watch)
    const pods = startInformer(client, kinds.pods, { ...watch, labelSelector })
    const services = startInformer(client, kinds.services, { ...watch, labelSelector })
    const state = createJobState({
      kind,
      jobs,
      pods: indexByOwner(pods),
      services: indexByOwner(services),
      now,
    })
    states.push(state)
    const queue = new WorkQueue()
    const keyByUid = new Map<string, string>()
    jobs.subscribe((change) => {
      if (change.type === 'SYNCED') return
      const { uid, namespace } = change.object.metadata
      if (change.type === 'DELETED') {
        keyByUid.delete(uid)
        told.delete(uid)
        line.forget(uid)
      } else keyByUid.set(uid, keyOf(change.object))
      queue.add(keyOf(change.object))
      // Who leaves the line, or comes to its head, decides about the others.
      kick(namespace)
    })
    const wakeOwner = (object: { metadata: Persisted<Pod>['metadata'] }): void => {
      const key = keyByUid.get(controllerOf(object) ?? '')
      if (key !== undefined) queue.add(key)
    }
    pods.subscribe((change) => {
      if (change.type === 'SYNCED') return
      if (change.type === 'DELETED') state.forgetPod(change.object.metadata.uid)
      wakeOwner(change.object)
      if (change.type !== 'MODIFIED') kick(change.object.metadata.namespace)
    })
    services.subscribe((change) => {
      if (change.type === 'DELETED') wakeOwner(change.object)
    })
    const recorder = createEventRecorder({ client, component: kind.controllerName, signal, now, onError })
    return { state, queue, recorder, informers: [jobs, pods, services] }
  })

  quotas.subscribe((change) => {
    if (change.type !== 'SYNCED') kick(change.object.metadata.namespace)
  })

  /** Wakes the jobs of a namespace that may start now, or that wait for another reason than before. */
  async function lookAtLine(namespace: string): Promise<void> {
    const waits = line.line(namespace)
    for (const { state, queue } of running)
      for (const key of state.keysIn(namespace)) {
        const job = state.jobs.objects.get(key)
        if (!job) continue
        const place = lineKey(state, job)
        if (!waits.has(place)) continue
        const wait = waits.get(place)
        const text = wait ? describe(wait) : ''
        if (text !== '' && told.get(job.metadata.uid) === text) continue
        if (text === '') told.delete(job.metadata.uid)
        else told.set(job.metadata.uid, text)
        queue.add(key)
      }
  }

  priorities.subscribe((change) => {
    if (change.type !== 'SYNCED') for (const namespace of namespacesOf(states)) kick(namespace)
  })

  const informers = [quotas, priorities, ...running.flatMap((one) => one.informers)]
  const ready = Promise.all(informers.map((informer) => informer.synced)).then(() => undefined)
  // Whoever is interested waits on it; nobody has to.
  ready.catch(() => undefined)

  async function work(): Promise<void> {
    await ready
    await Promise.all([
      ...running.map(({ state, queue, recorder }) =>
        runReconciler(queue, {
          reconcile: (key) => reconcileJob({ client, recorder, queue: line, signal }, state, key),
          signal,
          concurrency: options.concurrency ?? 4,
          onError: (_key, error) => {
            // Somebody else was faster, or an earlier job of that name is still going; the watch tells.
            const isUsual = ['Conflict', 'NotFound', 'AlreadyExists'].some((one) => isStatus(error, one))
            if (!isUsual) onError(error)
          },
        }),
      ),
      runReconciler(namespaces, {
        reconcile: lookAtLine,
        signal,
        onError: (_key, error) => onError(error),
      }),
      lookAgain(states, kick, signal),
    ])
  }

  const stopped = work()
    .catch(onError)
    .then(() => Promise.all(informers.map((informer) => informer.stopped)))
    .then(() => undefined)
  return { ready, stopped }
}

async function lookAgain(
  states: readonly JobState[],
  kick: (namespace?: string) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of setInterval(lookAgainMs, undefined, { signal, ref: false })) {
      for (const namespace of namespacesOf(states)) kick(namespace)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function namespacesOf(states: readonly JobState[]): Set<string> {
  const jobs = states.flatMap((state) => [...state.jobs.objects.values()])
  return new Set(jobs.map((job) => job.metadata.namespace ?? ''))
}

/** Worth telling anew when it changes; who is ahead and how much is used change with every job that ends. */
function describe({ shortage }: Wait): string {
  return [shortage.quota, ...shortage.keys.map(({ key, limited }) => `${key}=${limited}`)].join(' ')
}
