import {
  type ContainerState,
  extended,
  type Persisted,
  type Pod,
  type PodCondition,
  type PodStatus,
  restartWish,
  timestamp,
} from '../../../../kube/index.ts'
import { containersOf } from '../container/container-kinds.ts'
import { type ContainerView, statusOf } from '../container/container-view.ts'
import { isRestarted } from '../container/restart.ts'
import type { Rejection } from './admission.ts'
import type { ResizeNote } from './resize.ts'

export interface PodState {
  readonly views: readonly ContainerView[]
  readonly podAddress: string | undefined
  readonly hostAddress: string
  readonly startedAt: Date
  /** Volumes and network are there. */
  readonly isPrepared: boolean
  /** No container runs and none will be started again. */
  readonly isOver: boolean
  /** A change of CPU and memory that is not in force, and why. */
  readonly resize?: ResizeNote
  /** Why the pod was ended from outside, as in `DeadlineExceeded`. */
  readonly verdict?: { readonly reason: string; readonly message: string }
  /** Why the node has not taken the pod at all. */
  readonly rejection?: Rejection
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

/** The status that a pod should show, given what its containers are doing. Keeps what others have put there. */
export function podStatus(pod: Persisted<Pod>, whole: PodState, now: Date): PodStatus {
  if (whole.rejection !== undefined) return rejectedStatus(pod, whole.startedAt, whole.rejection)
  const ephemeral = whole.views.filter(({ kind }) => kind === 'ephemeral')
  // What somebody looks at the pod with says nothing about how the pod is.
  const state = { ...whole, views: whole.views.filter(({ kind }) => kind !== 'ephemeral') }
  const phase = shownPhase(pod, state, whole.views)
  const verdict = isTerminal(phase) ? state.verdict : undefined
  const init = state.views.filter(({ kind }) => kind !== 'main')
  const main = state.views.filter(({ kind }) => kind === 'main')
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditions(pod, state, phase, now),
    hostIP: state.hostAddress,
    hostIPs: [{ ip: state.hostAddress }],
    ...(state.podAddress !== undefined && {
      podIP: state.podAddress,
      podIPs: [{ ip: state.podAddress }],
    }),
    startTime: timestamp(state.startedAt),
    ...(verdict !== undefined && { reason: verdict.reason, message: verdict.message }),
    ...(init.length > 0 && { initContainerStatuses: init.map(statusOf) }),
    containerStatuses: main.map(statusOf),
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral.map(statusOf) }),
  } as PodStatus
}

/** Nothing of the pod has been here: there is nothing to say of containers. */
function rejectedStatus({ metadata }: Persisted<Pod>, at: Date, { reason, message }: Rejection): PodStatus {
  return {
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    phase: 'Failed',
    reason,
    message: `Pod was rejected: ${message}`,
    startTime: timestamp(at),
  }
}

function isTerminal(phase: Phase): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

/** The phase; a pod is not over while anything of it runs, be it a sidecar that is being ended. */
function shownPhase(pod: Persisted<Pod>, state: PodState, all: readonly ContainerView[]): Phase {
  const phase = podPhase(pod, state)
  if (!isTerminal(phase) || !all.some(({ state: one }) => one.running !== undefined)) return phase
  const { verdict: _verdict, ...rest } = state
  const before = podPhase(pod, rest)
  if (!isTerminal(before)) return before
  const hasBegun = state.views.some(({ kind, state: one }) => kind === 'main' && one.terminated !== undefined)
  return hasBegun ? 'Running' : 'Pending'
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase */
function podPhase(pod: Persisted<Pod>, state: PodState): Phase {
  if (state.verdict !== undefined) return 'Failed'
  const main = state.views.filter(({ kind }) => kind === 'main')
  if (state.isOver)
    return main.every(({ state: one }) => one.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed'
  const init = state.views.filter(({ kind }) => kind === 'init')
  const comesBack = ({ name, kind, state: { terminated } }: ContainerView): boolean => {
    const manifest = containersOf(pod).find(([, one]) => one.name === name)?.[1]
    if (manifest === undefined || terminated === undefined) return false
    return isRestarted(kind, restartWish(pod.spec?.restartPolicy, manifest), terminated)
  }
  const hasFailed = ({ state: { terminated } }: ContainerView): boolean => (terminated?.exitCode ?? 0) !== 0
  if (init.some((view) => hasFailed(view) && !comesBack(view))) return 'Failed'
  if (init.some(({ state: one }) => one.terminated?.exitCode !== 0)) return 'Pending'
  const hasRun = ({ state: one, lastState }: { state: ContainerState; lastState: ContainerState }): boolean =>
    one.terminated !== undefined || lastState.terminated !== undefined
  if (main.some((view) => view.state.waiting !== undefined && !hasRun(view))) return 'Pending'
  if (main.some((view) => view.state.terminated === undefined || comesBack(view))) return 'Running'
  return main.some(hasFailed) ? 'Failed' : 'Succeeded'
}

function conditions(pod: Persisted<Pod>, state: PodState, phase: Phase, now: Date): PodCondition[] {
  const unfinished = state.views
    .filter((view) => (view.kind === 'init' ? !view.ready : view.kind === 'sidecar' && !view.started))
    .map(({ name }) => name)
  const unready = state.views.filter(({ kind, ready }) => kind !== 'init' && !ready).map(({ name }) => name)
  const notReady =
    phase === 'Succeeded'
      ? { reason: 'PodCompleted' }
      : phase === 'Failed'
        ? { reason: 'PodFailed' }
        : unready.length > 0
          ? {
              reason: 'ContainersNotReady',
              message: `containers with unready status: [${unready.join(' ')}]`,
            }
          : undefined
  const shut = shutGates(pod)
  const notOpen =
    notReady ?? (shut.length > 0 ? { reason: 'ReadinessGatesNotReady', message: shut.join(', ') } : undefined)
  const notInitialized =
    unfinished.length > 0 && phase !== 'Succeeded'
      ? {
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${unfinished.join(' ')}]`,
        }
      : undefined
  const wanted = [
    condition('PodReadyToStartContainers', state.isPrepared && !state.isOver ? undefined : {}),
    condition(
      'Initialized',
      notInitialized,
      phase === 'Succeeded' && state.views.some(({ kind }) => kind !== 'main') ? 'PodCompleted' : undefined,
    ),
    condition('Ready', notOpen),
    condition('ContainersReady', notReady),
    // True of every pod that is here, also of one that no scheduler has placed.
    condition('PodScheduled', undefined),
    ...(state.resize ? [{ status: 'True', ...state.resize }] : []),
  ]
  const time = timestamp(now)
  const { generation } = pod.metadata
  return wanted.map((one) => {
    const before = pod.status?.conditions?.find(({ type }) => type === one.type)
    const isSame = before?.status === one.status
    return extended(one, {
      ...(generation !== undefined && { observedGeneration: generation }),
      lastProbeTime: null,
      lastTransitionTime: isSame ? (before?.lastTransitionTime ?? time) : time,
    }) as unknown as PodCondition
  })
}

/** What keeps a pod from being ready although its containers are: conditions that others have to set. */
function shutGates({ spec, status }: Persisted<Pod>): string[] {
  return (spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = `pod readiness gate "${conditionType}"`
    const found = status?.conditions?.find(({ type }) => type === conditionType)
    if (found === undefined) return `corresponding condition of ${gate} does not exist.`
    return found.status === 'True' ? [] : `the status of ${gate} is not "True", but ${found.status}`
  })
}

function condition(
  type: string,
  fault: { readonly reason?: string; readonly message?: string } | undefined,
  goodReason?: string,
): { type: string; status: string; reason?: string; message?: string } {
  if (fault !== undefined) return { type, status: 'False', ...fault }
  return { type, status: 'True', ...(goodReason !== undefined && { reason: goodReason }) }
}
