import {
  kinds,
  type Lease,
  type Node,
  type NodeCondition,
  type Persisted,
  type Pod,
  startInformer,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'
import { readiness, wantedTaints } from './node-taints.ts'
import { PodsByNode } from './pods-by-node.ts'

const leaseNamespace = 'kube-node-lease'
/** A silence longer than this means that the node is gone. */
const graceMs = 50_000
/** A silence makes no event: this is how often it is listened for. */
const listenMs = 5_000
const watchedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

interface Sign {
  /** By the clock that does not jump. */
  seenMs: number
  graceMs: number
  text: string
}

/**
 * Notices nodes that have fallen silent, marks what their conditions mean for pods as taints, and no longer counts
 * their pods as ready (https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller).
 */
export const nodeLifecycle: Controller = {
  name: 'node-controller',
  async run(context) {
    const { informers, reader, signal, onError } = context
    const nodes = informers.of(kinds.nodes)
    const pods = informers.of(kinds.pods)
    const leases = startInformer(reader, kinds.leases, { namespace: leaseNamespace, signal, onError })
    const signs = new Map<string, Sign>()
    const queue = new WorkQueue()
    await Promise.all([nodes.synced, pods.synced])
    const byNode = new PodsByNode(pods)

    function noteSign(name: string, text: string, grace: number): void {
      const before = signs.get(name)
      if (before?.text === text) return
      signs.set(name, { seenMs: performance.now(), graceMs: Math.max(grace, before?.graceMs ?? 0), text })
    }
    const well = new Set<string>()
    /** When the last node falls ill or the first recovers, every node's taints have to be looked at. */
    function noteHealth(name: string, isWell: boolean): void {
      const before = well.size
      if (isWell) well.add(name)
      else well.delete(name)
      if ((before === 0) === (well.size === 0)) return
      for (const node of nodes.objects.values()) queue.add(node.metadata.name)
    }
    nodes.subscribe((change) => {
      const { name } = change.object.metadata
      if (change.type === 'DELETED') {
        signs.delete(name)
        noteHealth(name, false)
        return
      }
      noteSign(name, heartbeatOf(change.object), graceMs)
      if (change.type === 'ADDED' || viewOf(change.previous) !== viewOf(change.object)) {
        noteHealth(name, readiness(change.object) === 'True')
        queue.add(name)
      }
    })
    leases.subscribe((change) => {
      if (change.type !== 'SYNCED' && change.type !== 'DELETED') {
        noteSign(change.object.metadata.name, leaseSign(change.object), leaseGrace(change.object))
      }
    })
    const listening = setInterval(() => {
      const now = performance.now()
      for (const [name, sign] of signs) if (now - sign.seenMs > sign.graceMs) queue.add(name)
    }, listenMs)
    listening.unref()
    signal.addEventListener('abort', () => clearInterval(listening), { once: true })

    const work = async (name: string): Promise<void> => {
      let node = nodes.get({ name })
      const sign = signs.get(name)
      if (node === undefined) return
      if (
        sign !== undefined &&
        performance.now() - sign.seenMs > sign.graceMs &&
        readiness(node) !== 'Unknown'
      ) {
        node = (await markUnknown(context, node)) ?? node
      }
      if (readiness(node) !== 'True') await markPodsUnready(context, node, byNode.on(name))
      const taints = wantedTaints(node, { mayEvict: well.size > 0, time: timestamp(context.now()) })
      if (taints === undefined) return
      const { resourceVersion } = node.metadata
      await unlessGone(
        context.client.patch(
          kinds.nodes,
          { name },
          {
            type: 'merge',
            patch: {
              metadata: { resourceVersion },
              spec: { taints: taints.length === 0 ? null : taints.map((taint) => ({ ...taint })) },
            },
          },
          { signal },
        ),
      )
    }
    // A large cluster that starts has all its nodes to untaint at once.
    await reconcile(context, queue, work, 16)
  },
}

function heartbeatOf(node: Persisted<Node>): string {
  return (node.status?.conditions ?? []).map(({ lastHeartbeatTime = '' }) => lastHeartbeatTime).join()
}

function leaseSign({ spec }: Persisted<Lease>): string {
  return `lease ${spec?.renewTime ?? ''}`
}

/** One agent that looks after very many nodes says with its leases how long it takes to get round. */
function leaseGrace({ spec }: Persisted<Lease>): number {
  return Math.max(graceMs, (spec?.leaseDurationSeconds ?? 0) * 1250)
}

function viewOf(node: Persisted<Node>): string {
  const conditions = (node.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`)
  return JSON.stringify([node.spec?.taints, node.spec?.unschedulable, conditions])
}

async function markUnknown(
  context: ControllerContext,
  node: Persisted<Node>,
): Promise<Persisted<Node> | undefined> {
  const { client, recorder, signal, now } = context
  const time = timestamp(now())
  const before = node.status?.conditions ?? []
  const conditions = watchedConditions.map((type): NodeCondition => {
    const old = before.find((condition) => condition.type === type)
    const hasSpoken = old !== undefined
    return {
      type,
      status: 'Unknown',
      reason: hasSpoken ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
      message: hasSpoken ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
      lastHeartbeatTime: old?.lastHeartbeatTime ?? node.metadata.creationTimestamp,
      lastTransitionTime: time,
    }
  })
  const next = await unlessGone(
    client.patch(
      kinds.nodes,
      { name: node.metadata.name },
      {
        type: 'strategic',
        patch: {
          metadata: { resourceVersion: node.metadata.resourceVersion },
          status: { conditions: conditions.map((condition) => ({ ...condition })) },
        },
      },
      { subresource: 'status', signal },
    ),
  )
  recorder.record({
    about: { kind: 'Node', apiVersion: 'v1', name: node.metadata.name, uid: node.metadata.uid },
    type: 'Normal',
    reason: 'NodeNotReady',
    message: `Node ${node.metadata.name} status is now: NodeNotReady`,
  })
  return next
}

async function markPodsUnready(
  context: ControllerContext,
  node: Persisted<Node>,
  pods: readonly Persisted<Pod>[],
): Promise<void> {
  // Only where the node cannot speak for its pods itself.
  if (readiness(node) !== 'Unknown') return
  for (const pod of pods) {
    const ready = (pod.status?.conditions ?? []).find(({ type }) => type === 'Ready')
    if (ready?.status !== 'True') continue
    await unlessGone(
      context.client.patch(
        kinds.pods,
        { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name },
        {
          type: 'strategic',
          patch: {
            metadata: { uid: pod.metadata.uid },
            status: {
              conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: timestamp(context.now()) }],
            },
          },
        },
        { subresource: 'status', signal: context.signal },
      ),
    )
    context.recorder.record({
      about: {
        kind: 'Pod',
        apiVersion: 'v1',
        name: pod.metadata.name,
        namespace: pod.metadata.namespace ?? '',
        uid: pod.metadata.uid,
      },
      type: 'Warning',
      reason: 'NodeNotReady',
      message: 'Node is not ready',
    })
  }
}
