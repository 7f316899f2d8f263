import type {
  Container as ContainerManifest,
  ContainerStatus,
  Persisted,
  Pod,
} from '../../../../kube/index.ts'
import type { ContainerKind, ContainerView } from '../container/container-view.ts'

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
