import {
  isStatus,
  keyOf,
  kinds,
  parseKey,
  type Persisted,
  type Pod,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'
import { PodsByNode } from './pods-by-node.ts'

/** A node that is gone may only be on its way back. */
const quarantineMs = 40_000
/** Ended pods beyond this number are removed, the oldest first. */
const endedLimit = 12_500
const endedKey = ''

/** Removes pods that nobody can end any more: those of nodes that are gone, and the oldest of very many ended ones. */
export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector',
  async run(context) {
    const { client, informers, signal } = context
    const pods = informers.of(kinds.pods)
    const nodes = informers.of(kinds.nodes)
    await Promise.all([pods.synced, nodes.synced])
    const byNode = new PodsByNode(pods)
    const ended = new Set<string>()
    const nodeQueue = new WorkQueue()
    const podQueue = new WorkQueue()
    const isAbsent = (name: string): boolean => nodes.get({ name }) === undefined
    pods.subscribe((change) => {
      const pod = change.object
      const key = keyOf(pod)
      if (change.type === 'DELETED') {
        ended.delete(key)
        return
      }
      if (hasEnded(pod)) {
        ended.add(key)
        if (ended.size > endedLimit) podQueue.addAfter(endedKey, 1000)
      }
      const nodeName = pod.spec?.nodeName
      if (nodeName && isAbsent(nodeName)) nodeQueue.addAfter(nodeName, quarantineMs)
      if (!nodeName && pod.metadata.deletionTimestamp !== undefined) podQueue.add(key)
    })
    nodes.subscribe((change) => {
      if (change.type === 'DELETED') nodeQueue.addAfter(change.object.metadata.name, quarantineMs)
    })
    const ofNodes = reconcile(context, nodeQueue, async (name) => {
      const onNode = isAbsent(name) ? byNode.on(name) : []
      if (onNode.length === 0) return
      // The cache may be behind; pods are not lost for that.
      if ((await unlessGone(client.get(kinds.nodes, { name }, { signal }))) !== undefined) return
      for (const pod of onNode) await removeWithReason(context, pod)
    })
    const ofPods = reconcile(context, podQueue, async (key) => {
      if (key === endedKey) {
        for (const pod of oldest([...ended].flatMap((one) => pods.objects.get(one) ?? [])))
          await remove(context, pod)
        return
      }
      const pod = pods.get(parseKey(key))
      if (pod?.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName) await remove(context, pod)
    })
    await Promise.all([ofNodes, ofPods])
  },
}

function hasEnded(pod: Persisted<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

function oldest(pods: Persisted<Pod>[]): Persisted<Pod>[] {
  pods.sort((a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp))
  return pods.slice(0, Math.max(0, pods.length - endedLimit))
}

/** Says what became of the pod before it goes, for those who count on its end. */
async function removeWithReason(context: ControllerContext, pod: Persisted<Pod>): Promise<void> {
  if (!hasEnded(pod)) {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      lastTransitionTime: timestamp(context.now()),
      ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    }
    await unlessGone(
      context.client.patch(
        kinds.pods,
        { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name },
        {
          type: 'strategic',
          patch: {
            metadata: { uid: pod.metadata.uid },
            status: { phase: 'Failed', conditions: [condition] },
          },
        },
        { subresource: 'status', signal: context.signal },
      ),
    )
  }
  await remove(context, pod)
}

async function remove(context: ControllerContext, pod: Persisted<Pod>): Promise<void> {
  const at = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name }
  const preconditions = { uid: pod.metadata.uid }
  try {
    await context.client.delete(kinds.pods, at, {
      gracePeriodSeconds: 0,
      preconditions,
      signal: context.signal,
    })
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
  }
}
