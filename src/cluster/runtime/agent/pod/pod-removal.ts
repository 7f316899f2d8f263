import { isStatus, kinds, type Persisted, type Pod } from '../../../../kube/index.ts'
import { pause } from '../../clock.ts'
import type { AgentContext } from '../pod-context.ts'

const firstRetryMs = 200
const longestRetryMs = 10_000

/** Tells the API that nothing of a pod is left on its node, until it has heard: only then does it forget the pod. */
export async function removeFromApi(context: AgentContext, pod: Persisted<Pod>): Promise<void> {
  const { client, clock, writes, signal, onError } = context
  const { namespace = '', name, uid } = pod.metadata
  const options = { gracePeriodSeconds: 0, preconditions: { uid }, signal }
  for (let retryMs = firstRetryMs; !signal.aborted; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
    try {
      await writes.pass(async () => client.delete(kinds.pods, { namespace, name }, options))
      return
    } catch (error) {
      // Gone already, or another pod has its name by now.
      if (signal.aborted || isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return
      onError(error)
      await pause(clock, retryMs, signal)
    }
  }
}
