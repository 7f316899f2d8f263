import { type Persisted, type Pod, podLimits, quantityToUnits, shortDuration } from '../../kube/index.ts'
import { explainJob } from '../explain/explain.ts'
import { jobAnnotations } from '../labels.ts'
import { hasEnded, isFinished, type ObservedJob, type Surroundings, statusOf } from './observed.ts'
import type { Reason } from '../explain/reason.ts'

const gpu = 'nvidia.com/gpu'

/** One pod of a job as it is shown. */
export interface InstanceView {
  readonly name: string
  /** As kubectl's STATUS column says it. */
  readonly status: string
  readonly ageMs: number
  readonly node: string
  readonly nodeIp: string
  readonly ip: string
  readonly isChief: boolean
  readonly requestedGpus: number
  readonly createdAt: string
}

/** A job as it is shown. */
export interface JobView {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly owner: string
  readonly state: string
  /** As in `TFJOB`. */
  readonly trainer: string
  readonly durationMs: number
  readonly createdAt: string
  readonly startedAt?: string
  readonly endedAt?: string
  readonly priority: string
  readonly requestedGpus: number
  readonly allocatedGpus: number
  readonly chiefName: string
  /** Address of the chief's node, or `N/A`. */
  readonly nodeIp: string
  readonly instances: readonly InstanceView[]
  readonly reason?: Reason
}

/** Works out everything that lists and details show of a job. */
export function viewJob(job: ObservedJob, around: Surroundings): JobView {
  const { metadata } = job.object
  const { startTime, completionTime } = statusOf(job)
  const endedAt = isFinished(job) ? (completionTime ?? endOfFailure(job)) : undefined
  const reason = explainJob(job, around)
  const isAlive = job.state === 'PENDING' || job.state === 'RUNNING'
  const requested = requestedGpus(job)
  return {
    uid: metadata.uid,
    name: job.name,
    namespace: job.namespace,
    owner: job.owner ?? '',
    state: job.state,
    trainer: job.kind.name.toUpperCase(),
    durationMs:
      startTime === undefined ? 0 : (endedAt ? Date.parse(endedAt) : around.now) - Date.parse(startTime),
    createdAt: metadata.creationTimestamp,
    ...(startTime !== undefined && { startedAt: startTime }),
    ...(endedAt !== undefined && { endedAt }),
    priority: job.roles[0]?.pod.spec?.priorityClassName ?? 'N/A',
    requestedGpus: requested,
    allocatedGpus: isAlive ? allocatedGpus(job.pods) : 0,
    chiefName: job.chief?.metadata.name ?? '',
    nodeIp: job.chief?.status?.hostIP ?? 'N/A',
    instances: job.pods.map((pod) => viewInstance(pod, job, around.now)),
    ...(reason !== undefined && { reason }),
  }
}

function viewInstance(pod: Persisted<Pod>, job: ObservedJob, now: number): InstanceView {
  return {
    name: pod.metadata.name,
    status: podStatus(pod),
    ageMs: now - Date.parse(pod.metadata.creationTimestamp),
    node: pod.spec?.nodeName ?? 'N/A',
    nodeIp: pod.status?.hostIP ?? 'N/A',
    ip: pod.status?.podIP ?? 'N/A',
    isChief: pod.metadata.uid === job.chief?.metadata.uid,
    requestedGpus: gpusOf(pod),
    createdAt: pod.metadata.creationTimestamp,
  }
}

/** The time a failed job without completion time stopped: its condition says when it was seen to have failed. */
function endOfFailure(job: ObservedJob): string | undefined {
  return statusOf(job).conditions?.find(({ type, status }) => type === 'Failed' && status === 'True')
    ?.lastTransitionTime
}

function requestedGpus(job: ObservedJob): number {
  const noted = Number(job.object.metadata.annotations?.[jobAnnotations.requestedGpus])
  const planned = job.roles.reduce((sum, { pod, replicas }) => sum + gpusOf(pod) * replicas, 0)
  // The note leaves out parameter servers, as the original tool does; a job made by other means has none.
  return planned > 0 || !Number.isFinite(noted) ? planned : noted
}

function allocatedGpus(pods: readonly Persisted<Pod>[]): number {
  return pods
    .filter(
      (pod) =>
        pod.status?.startTime !== undefined && !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined,
    )
    .reduce((sum, pod) => sum + gpusOf(pod), 0)
}

const knownGpus = new WeakMap<Pod, number>()

/** The GPUs that a pod may use. */
export function gpusOf(pod: Pod): number {
  let gpus = knownGpus.get(pod)
  if (gpus === undefined) {
    const limit = podLimits(pod)[gpu]
    gpus = limit === undefined ? 0 : quantityToUnits(limit)
    knownGpus.set(pod, gpus)
  }
  return gpus
}

/** The status of a pod in one word, as kubectl shows it. */
function podStatus(pod: Pod): string {
  const { status } = pod
  const isGoing = pod.metadata?.deletionTimestamp !== undefined
  const init = initStatus(pod)
  if (init !== undefined && !isGoing) return init
  let shown = status?.reason ?? status?.phase ?? 'Unknown'
  for (const { state } of [...(status?.containerStatuses ?? [])].reverse()) {
    if (state?.waiting?.reason) shown = state.waiting.reason
    else if (state?.terminated) shown = endStatus(state.terminated)
  }
  const isRunning = (status?.containerStatuses ?? []).some(({ ready, state }) => ready && state?.running)
  if (shown === 'Completed' && isRunning) shown = 'Running'
  return isGoing ? 'Terminating' : shown
}

function initStatus(pod: Pod): string | undefined {
  const statuses = pod.status?.initContainerStatuses ?? []
  const total = pod.spec?.initContainers?.length ?? 0
  for (const [index, { state }] of statuses.entries()) {
    if (state?.terminated?.exitCode === 0) continue
    if (state?.terminated) return `Init:${endStatus(state.terminated)}`
    const reason = state?.waiting?.reason
    if (reason !== undefined && reason !== '' && reason !== 'PodInitializing') return `Init:${reason}`
    return `Init:${index}/${total}`
  }
  return undefined
}

function endStatus(ended: { reason?: string; signal?: number; exitCode: number }): string {
  if (ended.reason !== undefined && ended.reason !== '') return ended.reason
  return ended.signal === undefined || ended.signal === 0
    ? `ExitCode:${ended.exitCode}`
    : `Signal:${ended.signal}`
}

/** A job as `-o json` shows it: the fields of the original tool, and why it does not run. */
export function jobJson(view: JobView): object {
  const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000)
  return {
    uuid: view.uid,
    name: view.name,
    namespace: view.namespace,
    owner: view.owner,
    duration: `${Math.max(0, Math.trunc(view.durationMs / 1000))}s`,
    status: view.state,
    trainer: view.trainer.toLowerCase(),
    tensorboard: '',
    chiefName: view.chiefName,
    instances: view.instances.map((instance) => ({
      ip: instance.ip,
      status: instance.status,
      name: instance.name,
      age: `${Math.max(0, Math.trunc(instance.ageMs / 1000))}s`,
      node: instance.node,
      nodeIP: instance.nodeIp,
      chief: instance.isChief,
      requestGPUs: instance.requestedGpus,
      gpuMetrics: {},
      creationTimestamp: seconds(instance.createdAt),
    })),
    priority: view.priority,
    requestGPUs: view.requestedGpus,
    allocatedGPUs: view.allocatedGpus,
    creationTimestamp: seconds(view.createdAt),
    modelName: '',
    modelVersion: '',
    modelSource: '',
    reason: view.reason?.code ?? '',
    message: view.reason?.message ?? '',
    ...(view.reason !== undefined && !/^(SUCCEEDED|FAILED)$/.test(view.state) && { waiting: view.reason }),
  }
}

/** How long a job ran, in one unit. */
export function durationText(view: JobView): string {
  return shortDuration(view.durationMs)
}
