import { type Persisted, type Pod, restartWish } from '../../../../kube/index.ts'
import type { ContainerExit } from '../../runtime.ts'
import type { AgentEnd } from '../agent-end.ts'
import { containersOf } from '../container/container-kinds.ts'
import { isRestarted } from '../container/restart.ts'
import type { Ending } from '../ending.ts'
import type { PodContainers } from './pod-containers.ts'
import type { AgentContext } from '../pod-context.ts'
import { setGoing } from '../set-going.ts'

/** What the course of a pod's containers needs of the pod. */
export interface PodCourse {
  readonly pod: () => Persisted<Pod>
  readonly context: AgentContext
  readonly containers: PodContainers
  /** The pod is to end. */
  readonly stopping: Ending
  readonly agentEnd: AgentEnd
}

/**
 * Runs init containers one after the other and sets sidecars going in their turn
 * (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/). True when the pod may go on.
 */
export async function runInit({ pod, context, containers, stopping, agentEnd }: PodCourse): Promise<boolean> {
  for (const [kind, manifest] of containersOf(pod())) {
    if (kind === 'main') continue
    if (stopping.isReached || context.signal.aborted) return false
    // Done before a restart of the agent.
    if (kind === 'init' && containers.endBefore(manifest.name)?.exitCode === 0) continue
    const worker = containers.take(kind, manifest)
    if (kind === 'sidecar') {
      const going = setGoing(worker.run.bind(worker), context.onError)
      await agentEnd.or(going.started)
      continue
    }
    let exit: ContainerExit | undefined
    await agentEnd.or(
      worker.run().then((ended) => {
        exit = ended
      }),
    )
    if (exit?.exitCode !== 0) return false
  }
  return !stopping.isReached
}

/** Runs main containers side by side until all have ended for good. */
export async function runMain({ pod, containers, agentEnd }: PodCourse): Promise<void> {
  const main = containersOf(pod()).filter(([kind]) => kind === 'main')
  await agentEnd.or(
    Promise.all(
      main.map(async ([kind, manifest]) => {
        const end = containers.endBefore(manifest.name)
        if (end !== undefined && !isRestarted(kind, restartWish(pod().spec?.restartPolicy, manifest), end))
          return
        await containers.take(kind, manifest).run()
      }),
    ),
  )
}
