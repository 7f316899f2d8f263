import {
  isStatus,
  keyOf,
  kinds,
  type Node,
  parseKey,
  type Persisted,
  type Pod,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'
import { evictingTaints, leavesAt } from './node-taints.ts'
import { PodsByNode } from './pods-by-node.ts'

const longestWaitMs = 24 * 3_600_000

/** Deletes pods from nodes with a `NoExecute` taint that they do not tolerate, or not for so long. */
export const taintEviction: Controller = {
  name: 'taint-eviction-controller',
  actsAs: 'node-controller',
  async run(context) {
    const { informers, now } = context
    const nodes = informers.of(kinds.nodes)
    const pods = informers.of(kinds.pods)
    await Promise.all([nodes.synced, pods.synced])
    const byNode = new PodsByNode(pods)
    const queue = new WorkQueue()
    const since = new Map<string, number>()
    nodes.subscribe((change) => {
      const { name } = change.object.metadata
      if (change.type === 'DELETED' || evictingTaints(change.object).length === 0) {
        since.delete(name)
        return
      }
      if (change.type === 'MODIFIED' && taintView(change.previous) === taintView(change.object)) return
      if (!since.has(name)) since.set(name, now())
      for (const pod of byNode.on(name)) queue.add(keyOf(pod))
    })
    pods.subscribe((change) => {
      const nodeName = change.object.spec?.nodeName
      if (change.type === 'DELETED' || !nodeName || !since.has(nodeName)) return
      const isNew = change.type === 'ADDED' || change.previous.spec?.nodeName !== nodeName
      if (isNew) queue.add(keyOf(change.object))
    })
    await reconcile(context, queue, async (key) => {
      const pod = pods.get(parseKey(key))
      const nodeName = pod?.spec?.nodeName
      if (pod === undefined || !nodeName || pod.metadata.deletionTimestamp !== undefined) return undefined
      const taints = evictingTaints(nodes.get({ name: nodeName }))
      if (taints.length === 0) return undefined
      const due = leavesAt(taints, pod.spec?.tolerations ?? [], since.get(nodeName) ?? now())
      if (due === undefined) return undefined
      if (due > now()) return { againAfterMs: Math.min(due - now(), longestWaitMs) }
      await evict(context, pod)
      return undefined
    })
  },
}

function taintView(node: Persisted<Node>): string {
  return JSON.stringify(evictingTaints(node))
}

async function evict(context: ControllerContext, pod: Persisted<Pod>): Promise<void> {
  const { client, recorder, signal, now } = context
  const { namespace = '', name, uid } = pod.metadata
  recorder.record({
    about: { kind: 'Pod', apiVersion: 'v1', name, namespace, uid },
    type: 'Normal',
    reason: 'TaintManagerEviction',
    message: `Marking for deletion Pod ${namespace}/${name}`,
  })
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: timestamp(now()),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  }
  const patch = { metadata: { uid }, status: { conditions: [condition] } }
  try {
    await unlessGone(
      client.patch(
        kinds.pods,
        { namespace, name },
        { type: 'strategic', patch },
        { subresource: 'status', signal },
      ),
    )
    await unlessGone(client.delete(kinds.pods, { namespace, name }, { preconditions: { uid }, signal }))
  } catch (error) {
    // Another pod has the name by now.
    if (!isStatus(error, 'Conflict')) throw error
  }
}
