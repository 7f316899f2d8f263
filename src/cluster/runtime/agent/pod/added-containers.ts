import type { Persisted, Pod } from '../../../../kube/index.ts'
import { ephemeralContainersOf } from '../container/container-kinds.ts'
import type { PodContainers } from './pod-containers.ts'
import type { AgentContext, NodeContext } from '../pod-context.ts'
import type { PodNotices } from './pod-notices.ts'
import { setGoing } from '../set-going.ts'

export interface AddedContainersOptions {
  readonly context: AgentContext
  readonly node: NodeContext
  readonly containers: PodContainers
  readonly notices: PodNotices
}

/** Starts what was added to a pod to look at it, each once and for as long as the pod lives. */
export function startAdded(pod: Persisted<Pod>, options: AddedContainersOptions): void {
  const { context, containers } = options
  const added = ephemeralContainersOf(pod)
  for (const manifest of added) containers.show('ephemeral', manifest)
  for (const manifest of added) {
    const { name } = manifest
    if (containers.worker(name) !== undefined || containers.endBefore(name) !== undefined) continue
    tellAboutTarget(pod, name, options)
    const worker = containers.take('ephemeral', manifest)
    setGoing(async () => worker.run(), context.onError)
  }
}

function tellAboutTarget(
  { spec }: Persisted<Pod>,
  name: string,
  { node, notices }: AddedContainersOptions,
): void {
  const added = spec?.ephemeralContainers?.find((one) => one.name === name)
  if (!added?.targetContainerName || !node.runtime.usesFiles) return
  notices.tell({
    reason: 'TargetNotJoined',
    message: `container "${name}" does not see the processes of "${added.targetContainerName}": each container has a process namespace of its own here`,
  })
}
