import type { Container as ContainerManifest, ContainerStatus, Persisted, Pod } from '../../../kube/index.ts'
import type { Container, ContainerExit } from '../runtime.ts'
import type { ContainerKind, ContainerView } from './container-view.ts'

/** The view of a container to begin with: what the API says of it, so that counts go on after a restart of the agent. */
export function viewFrom(
  pod: Persisted<Pod>,
  kind: ContainerKind,
  manifest: ContainerManifest,
): ContainerView {
  const statuses = statusesOf(pod, kind)
  const before = statuses?.find(({ name }) => name === manifest.name)
  const hasInit = (pod.spec?.initContainers ?? []).length > 0
  return {
    name: manifest.name,
    image: manifest.image ?? '',
    kind,
    state: before?.state ?? {
      waiting: { reason: hasInit && kind !== 'ephemeral' ? 'PodInitializing' : 'ContainerCreating' },
    },
    lastState: before?.lastState ?? {},
    restartCount: before?.restartCount ?? 0,
    ready: before?.ready ?? false,
    started: before?.started ?? false,
    containerId: before?.containerID,
    resources: before?.resources ?? manifest.resources ?? {},
  }
}

function statusesOf({ status }: Persisted<Pod>, kind: ContainerKind): ContainerStatus[] | undefined {
  if (kind === 'main') return status?.containerStatuses
  return kind === 'ephemeral' ? status?.ephemeralContainerStatuses : status?.initContainerStatuses
}

/** Stands for a run that the API believes to be going on and of which this machine has no trace. */
export function lostExit(pod: Persisted<Pod>, view: ContainerView, now: Date): Container {
  const startedAt = view.state.running?.startedAt
  const exit: ContainerExit = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the node agent was restarted',
    startedAt: typeof startedAt === 'string' ? new Date(startedAt) : now,
    finishedAt: now,
  }
  const exited = Promise.resolve(exit)
  return {
    key: { podUid: pod.metadata.uid, container: view.name, attempt: view.restartCount },
    id: view.containerId ?? '',
    startedAt: exit.startedAt,
    exited,
    exit,
    notices: [],
    gpus: [],
    stop: async () => exited,
  }
}
