import type { Persisted, Pod } from '../../../../kube/index.ts'
import type { Container, ContainerExit, ContainerKey, ContainerRefused } from '../../runtime.ts'
import type { ContainerView } from './container-view.ts'

/** Stands for a run that the API believes to be going on and of which this machine has no trace. */
export function lostRun(pod: Persisted<Pod>, view: ContainerView, now: Date): Container {
  const startedAt = view.state.running?.startedAt
  const key = { podUid: pod.metadata.uid, container: view.name, attempt: view.restartCount }
  return endedRun(key, view.containerId ?? '', {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the node agent was restarted',
    startedAt: typeof startedAt === 'string' ? new Date(startedAt) : now,
    finishedAt: now,
  })
}

/** Stands for the one run that there will ever have been: whoever waits for the container is told why. */
export function refusedRun(key: ContainerKey, refusal: ContainerRefused, now: Date): Container {
  return endedRun(key, '', {
    exitCode: 128,
    reason: 'StartError',
    message: refusal.message,
    startedAt: now,
    finishedAt: now,
  })
}

function endedRun(key: ContainerKey, id: string, exit: ContainerExit): Container {
  const exited = Promise.resolve(exit)
  return {
    key,
    id,
    startedAt: exit.startedAt,
    exited,
    exit,
    notices: [],
    gpus: [],
    stop: async () => exited,
  }
}
