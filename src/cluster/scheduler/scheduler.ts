import {
  createEventRecorder,
  createSharedInformers,
  isStatus,
  kinds,
  type KubeClient,
  ownSignal,
  type Persisted,
  type Pod,
  type PodDisruptionBudget,
  referenceTo,
  type SharedInformers,
} from '../../kube/index.ts'
import { Attempts } from './attempts.ts'
import { ClusterState, hasEnded } from './cluster-state.ts'
import type { Change } from './filter.ts'
import type { NodeInfo } from './node-info.ts'
import { looksDifferent, type PodInfo, podInfo } from './pod-info.ts'
import { merged, type QueueChange } from './queue-change.ts'
import { SchedulingQueue, type Waiting } from './queue.ts'
import { VolumeBinder } from './volume-reservation.ts'

/** Which pods are placed, and with what. */
export interface SchedulerOptions {
  /** Acts as `system:kube-scheduler`. */
  readonly client: KubeClient
  readonly signal: AbortSignal
  /** Told of requests that failed; the scheduler goes on by itself. */
  readonly onError: (error: unknown) => void
  /** Caches shared with others; own ones when left out. */
  readonly informers?: SharedInformers
  /** Only pods that name this scheduler are placed. */
  readonly schedulerName?: string
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Pods on their way to their nodes at a time. */
const bindingLimit = 64
/** How long to go on without letting others have the processor. */
const sliceMs = 8
const forgottenCheckMs = 30_000

/**
 * Places pods on nodes until the signal aborts: the queue is worked off in order of priority and age, nothing is
 * polled. Settles when everything in hand is done.
 *
 * @example
 * ```ts
 * const stopped = startScheduler({ client, signal, onError: report })
 * ```
 */
export async function startScheduler(options: SchedulerOptions): Promise<void> {
  const { client, onError } = options
  const signal = ownSignal(options.signal)
  const now = options.now ?? Date.now
  const schedulerName = options.schedulerName ?? 'default-scheduler'
  const informers = options.informers ?? createSharedInformers(client, { signal, onError })
  const recorder = createEventRecorder({ client, component: schedulerName, signal, now, onError })

  const pods = informers.of(kinds.pods)
  const nodes = informers.of(kinds.nodes)
  const claims = informers.of(kinds.persistentVolumeClaims)
  const volumes = informers.of(kinds.persistentVolumes)
  const classes = informers.of(kinds.storageClasses)
  const namespaces = informers.of(kinds.namespaces)
  const budgets = informers.of(kinds.podDisruptionBudgets)
  const all = [pods, nodes, claims, volumes, classes, namespaces, budgets]
  await Promise.all(all.map((informer) => informer.synced))
  if (signal.aborted) return

  const state = new ClusterState({
    namespace: (name) => namespaces.get({ name }),
    claim: (namespace, name) => claims.get({ namespace, name }),
    volume: (name) => volumes.get({ name }),
    volumes: () => volumes.objects.values(),
    storageClass: (name) => classes.get({ name }),
  })
  const queue = new SchedulingQueue(now)
  const volumeBinder = new VolumeBinder({ client, state, claims, signal })
  const attempts = new Attempts({
    state,
    client,
    recorder,
    signal,
    now,
    budgets: () => [...budgets.objects.values()] as readonly Persisted<PodDisruptionBudget>[],
    onError,
  })

  let isRunning = false
  let isScheduled = false
  let timer: NodeJS.Timeout | undefined
  let isDone = false
  let binding = 0
  let changes: QueueChange[] = []
  let settle = (): void => undefined
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })

  function kick(): void {
    if (isScheduled || isRunning || signal.aborted) return
    isScheduled = true
    setImmediate(run)
  }

  function run(): void {
    isScheduled = false
    if (signal.aborted) return finish()
    isRunning = true
    const until = performance.now() + sliceMs
    try {
      if (changes.length > 0) {
        queue.changed(merged(changes))
        changes = []
      }
      while (binding < bindingLimit && performance.now() < until) {
        const entry = queue.next()
        if (entry === undefined) break
        attempt(entry)
      }
    } catch (error) {
      onError(error)
    }
    isRunning = false
    if (binding < bindingLimit) {
      const due = queue.dueInMs()
      clearTimeout(timer)
      if (performance.now() >= until) kick()
      else if (due !== undefined) timer = setTimeout(kick, Math.max(1, due))
    }
  }

  function attempt(entry: Waiting): void {
    const { pod } = entry
    const node = attempts.place(pod)
    if (node === undefined) {
      queue.failed(entry, attempts.lastRefusedBy)
      return
    }
    state.put(pod, node.name)
    const plans = volumeBinder.reserve(pod, node)
    binding += 1
    const work =
      plans === undefined
        ? bind(pod, node.name)
        : volumeBinder.bind(pod, node, plans).then(() => bind(pod, node.name))
    work
      .then(
        () => queue.remove(pod.uid),
        (error: unknown) => bindingFailed(entry, error),
      )
      .catch(onError)
      .finally(() => {
        binding -= 1
        volumeBinder.release(pod)
        if (signal.aborted) finish()
        else kick()
      })
  }

  async function bind(pod: PodInfo, nodeName: string): Promise<void> {
    const target = { kind: 'Node', name: nodeName, apiVersion: 'v1' }
    const at = { namespace: pod.namespace, name: pod.name }
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { ...at, uid: pod.uid }, target }
    await client.createSub(kinds.pods, at, 'binding', body, { signal })
    recorder.record({
      about: referenceTo(pod.pod, { kind: 'Pod', apiVersion: 'v1' }),
      type: 'Normal',
      reason: 'Scheduled',
      message: `Successfully assigned ${pod.key} to ${nodeName}`,
      action: 'Binding',
    })
  }

  function bindingFailed(entry: Waiting, error: unknown): void {
    const { pod } = entry
    // The API may say by now that the pod is on a node: then it stays counted there.
    const current = pods.get({ namespace: pod.namespace, name: pod.name })
    if (current === undefined || current.metadata.uid !== pod.uid || current.spec?.nodeName) {
      queue.remove(pod.uid)
      if (!current?.spec?.nodeName) roomFreed(pod.uid)
      return
    }
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict') && !signal.aborted) onError(error)
    roomFreed(pod.uid)
    queue.failed(entry, new Set())
  }

  function roomFreed(uid: string): void {
    const node = state.remove(uid)
    if (node !== undefined) note('pod-gone', node)
  }

  /** Pods that wait are looked at when the current burst of changes is over. */
  function note(change: Change, node?: NodeInfo): void {
    attempts.changed(change)
    changes.push({
      change,
      ...(node !== undefined && { mayFit: (pod: PodInfo) => attempts.mayFit(pod, node) }),
    })
    kick()
  }

  function podChanged(pod: Persisted<Pod>): void {
    const { uid } = pod.metadata
    const nodeName = pod.spec?.nodeName
    if (nodeName) {
      attempts.forget(uid)
      queue.remove(uid)
      if (hasEnded(pod)) {
        if (state.placeOf(uid) !== undefined) roomFreed(uid)
        return
      }
      const before = state.placeOf(uid)
      if (before?.name === nodeName && !looksDifferent(before.pods.get(uid), pod)) return
      state.put(podInfo(pod), nodeName)
      note('pod-placed')
      return
    }
    if (!isOurs(pod)) {
      queue.remove(uid)
      return
    }
    const info = podInfo(pod)
    attempts.noteNomination(info)
    queue.put(info)
    kick()
  }

  /** Should this scheduler find a node for it? */
  function isOurs(pod: Persisted<Pod>): boolean {
    return (
      pod.metadata.deletionTimestamp === undefined &&
      !hasEnded(pod) &&
      (pod.spec?.schedulerName ?? 'default-scheduler') === schedulerName &&
      (pod.spec?.schedulingGates ?? []).length === 0
    )
  }

  function podGone(pod: Persisted<Pod>): void {
    const { uid } = pod.metadata
    attempts.forget(uid)
    queue.remove(uid)
    if (state.placeOf(uid) !== undefined) roomFreed(uid)
  }

  function volumesChanged(): void {
    note('volume')
  }

  nodes.subscribe((change) => {
    if (change.type === 'DELETED') {
      state.removeNode(change.object.metadata.name)
      attempts.changed('node')
      return
    }
    if (!state.setNode(change.object)) return
    note('node')
  })
  claims.subscribe((change) => {
    volumeBinder.claimChanged(change.object)
    volumesChanged()
  })
  volumes.subscribe(volumesChanged)
  classes.subscribe(volumesChanged)
  pods.subscribe((change) => {
    if (change.type === 'DELETED') podGone(change.object)
    else podChanged(change.object)
  })

  const forgotten = setInterval(() => {
    if (!queue.hasParked) return
    queue.wakeForgotten()
    kick()
  }, forgottenCheckMs)
  forgotten.unref()

  function finish(): void {
    if (isDone || binding > 0) return
    isDone = true
    clearTimeout(timer)
    clearInterval(forgotten)
    settle()
  }
  signal.addEventListener('abort', finish, { once: true })
  kick()
  await settled
}
