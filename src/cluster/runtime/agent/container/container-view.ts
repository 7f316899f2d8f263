import {
  type Container,
  type ContainerState,
  type ContainerStatus,
  timestamp,
} from '../../../../kube/index.ts'
import type { ContainerExit } from '../../runtime.ts'

type ResourceRequirements = NonNullable<Container['resources']>

export type ContainerKind = 'init' | 'sidecar' | 'main' | 'ephemeral'

/** What there is to say about one container of a pod. */
export interface ContainerView {
  readonly name: string
  image: string
  readonly kind: ContainerKind
  state: ContainerState
  lastState: ContainerState
  restartCount: number
  ready: boolean
  started: boolean
  containerId: string | undefined
  /** What is in force, which may not yet be what the spec wants. */
  resources: ResourceRequirements
}

export function statusOf(view: ContainerView): ContainerStatus {
  return {
    name: view.name,
    state: view.state,
    lastState: view.lastState,
    ready: view.ready,
    restartCount: view.restartCount,
    image: view.image,
    // No image is ever pulled, so there is no digest.
    imageID: '',
    ...(view.containerId !== undefined && { containerID: view.containerId }),
    started: view.started,
    // Nodes show by this that they can resize; a container for looking has nothing to be resized.
    ...(view.state.running !== undefined && view.kind !== 'ephemeral' && inForce(view)),
  }
}

function inForce({ resources }: ContainerView): Partial<ContainerStatus> {
  const { requests, limits } = resources
  return {
    ...(requests && { allocatedResources: requests }),
    resources: { ...(limits && { limits }), ...(requests && { requests }) },
  }
}

export function terminatedState(exit: ContainerExit, containerId: string | undefined): ContainerState {
  return {
    terminated: {
      exitCode: exit.exitCode,
      ...(exit.signal !== undefined && { signal: exit.signal }),
      reason: exit.reason,
      ...(exit.message !== undefined && { message: exit.message }),
      startedAt: timestamp(exit.startedAt),
      finishedAt: timestamp(exit.finishedAt),
      ...(containerId !== undefined && { containerID: containerId }),
    },
  } as ContainerState
}

export function runningState(startedAt: Date): ContainerState {
  return { running: { startedAt: timestamp(startedAt) } } as ContainerState
}
