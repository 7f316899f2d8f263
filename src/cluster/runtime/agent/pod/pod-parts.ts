import type { Persisted, Pod } from '../../../../kube/index.ts'
import type { Container } from '../../runtime.ts'
import { ContainerStarter } from '../container/container-starter.ts'
import type { PodFacts } from '../container/downward.ts'
import type { Ending } from '../ending.ts'
import type { AgentContext, NodeContext } from '../pod-context.ts'
import { PodContainers } from './pod-containers.ts'
import { PodNotices } from './pod-notices.ts'
import { PodResizes } from './pod-resizes.ts'
import { type PodState, podStatus } from './pod-status.ts'
import { PodVolumes } from './pod-volumes.ts'
import { StatusPublisher } from './status-publisher.ts'

/** Who sees to what in the life of one pod. */
export interface PodParts {
  readonly notices: PodNotices
  readonly volumes: PodVolumes
  readonly starter: ContainerStarter
  readonly publisher: StatusPublisher
  readonly containers: PodContainers
  readonly resizes: PodResizes
}

/** Makes the parts and lets them know of each other. */
export function podParts(options: {
  readonly pod: Persisted<Pod>
  /** Runs that were found on this machine when the agent began. */
  readonly found: readonly Container[]
  readonly context: AgentContext
  readonly node: NodeContext
  readonly stopping: Ending
  /** The pod as it is by now. */
  readonly current: () => Persisted<Pod>
  readonly facts: () => PodFacts
  readonly state: () => PodState
}): PodParts {
  const { context, node, facts, current } = options
  const notices = new PodNotices({
    recorder: context.recorder,
    pod: current,
    // Pods that are only played are many, and nobody reads about their lives.
    isQuiet: !node.runtime.usesFiles,
  })
  const volumes = new PodVolumes(context, notices, facts)
  const starter = new ContainerStarter({ context, node, volumes, notices, facts })
  const publisher = new StatusPublisher(options.pod, {
    client: context.client,
    clock: context.clock,
    gate: context.writes,
    signal: context.signal,
    onError: context.onError,
    compute: () => podStatus(current(), options.state(), new Date(context.clock.now())),
  })
  const onChange = (): void => publisher.request()
  const { found, stopping } = options
  const containers = new PodContainers({ context, node, starter, notices, found, facts, onChange })
  const resizes = new PodResizes({ context, node, containers, stopping, pod: current, onChange })
  return { notices, volumes, starter, publisher, containers, resizes }
}
