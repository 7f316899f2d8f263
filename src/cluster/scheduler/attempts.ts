import {
  type EventRecorder,
  isStatus,
  kinds,
  type KubeClient,
  type Persisted,
  type PodDisruptionBudget,
  referenceTo,
  timestamp,
} from '../../kube/index.ts'
import type { ClusterState } from './cluster-state.ts'
import type { Change } from './filter.ts'
import { resources } from './filters/resources.ts'
import { failureMessage } from './messages.ts'
import type { NodeInfo } from './node-info.ts'
import { type Diagnosis, placePod, prepareChecks } from './place.ts'
import type { PodInfo } from './pod-info.ts'
import { type PreemptionPlan, planPreemption } from './preemption.ts'

export interface AttemptsOptions {
  readonly state: ClusterState
  readonly client: KubeClient
  readonly recorder: EventRecorder
  readonly signal: AbortSignal
  readonly now: () => number
  readonly budgets: () => readonly Persisted<PodDisruptionBudget>[]
  readonly onError: (error: unknown) => void
}

/** Feasible nodes that are enough to choose from in a large cluster. */
const enoughNodes = 100
const nothing: ReadonlySet<string> = new Set()
const podKind = { kind: 'Pod', apiVersion: 'v1' }
const rememberedShapes = 512

/**
 * Tries to place one pod after the other: remembers what was refused to a pod of the same shape as long as nothing
 * has changed, makes room by preemption, and tells the pod why it has to wait.
 */
export class Attempts {
  readonly #options: AttemptsOptions
  #startAt = 0
  /** Grows with every change after which a refused pod may fit. */
  #version = 0
  /** Grows when pods come to nodes: matters to those that look at other pods. */
  #placedVersion = 0
  readonly #refused = new Map<
    string,
    { version: number; placedVersion: number; diagnosis: Diagnosis; message: string }
  >()
  /** Room made by preemption: node name -> pods that it is for. */
  readonly #promised = new Map<string, Map<string, PodInfo>>()
  readonly #nominations = new Map<string, string>()
  /** What was last written into a pod's status, until the informer shows it. */
  readonly #told = new Map<string, string>()
  lastRefusedBy: ReadonlySet<string> = nothing

  constructor(options: AttemptsOptions) {
    this.#options = options
  }

  changed(change: Change): void {
    if (change === 'pod-placed') this.#placedVersion += 1
    else this.#version += 1
  }

  /** The pod has a node or is gone. */
  forget(uid: string): void {
    this.#told.delete(uid)
    this.#withdraw(uid)
  }

  /** Takes over a promise that an earlier run of the scheduler made. */
  noteNomination(pod: PodInfo): void {
    const nodeName = pod.pod.status?.nominatedNodeName
    if (nodeName && !this.#nominations.has(pod.uid)) this.#promise(pod, nodeName)
  }

  /** Would the room on the node do, as far as resources go? */
  mayFit(pod: PodInfo, node: NodeInfo): boolean {
    if (node.node === undefined) return false
    return prepareChecks(pod, this.#options.state, [resources])(node) === undefined
  }

  /** The node for the pod; otherwise the pod is told why not, and others may be asked to leave. */
  place(pod: PodInfo): NodeInfo | undefined {
    const { state } = this.#options
    const known = this.#refused.size === 0 ? undefined : this.#refused.get(shapeOf(pod))
    if (known?.version === this.#version && this.#isStillTrue(known)) {
      this.lastRefusedBy = known.diagnosis.refusedBy
      this.#tell(pod, known.message, undefined)
      return undefined
    }
    const promisedTo = (node: NodeInfo): PodInfo[] => [...(this.#promised.get(node.name)?.values() ?? [])]
    const placement = placePod(pod, state, {
      startAt: this.#startAt,
      ...(state.nodes.length > enoughNodes && { enough: enoughNodes }),
      promisedTo,
    })
    if ('node' in placement) {
      this.#startAt = (this.#startAt + placement.looked) % Math.max(1, state.nodes.length)
      this.#withdraw(pod.uid)
      return placement.node
    }
    const { diagnosis } = placement
    // Without any node nobody has refused it: the pod is tried again when its delay is over.
    this.lastRefusedBy = diagnosis.refusedBy
    const outcome = planPreemption(pod, state, diagnosis, { budgets: this.#options.budgets(), promisedTo })
    if ('node' in outcome) {
      this.#tell(pod, failureMessage(diagnosis, ''), outcome)
      return undefined
    }
    if (outcome.isHopeless) this.#withdraw(pod.uid)
    const message = failureMessage(diagnosis, outcome.message)
    if (this.#refused.size >= rememberedShapes) this.#refused.clear()
    this.#refused.set(shapeOf(pod), {
      version: this.#version,
      placedVersion: this.#placedVersion,
      diagnosis: { ...diagnosis, refusals: new Map(), refusedBy: this.lastRefusedBy },
      message,
    })
    this.#tell(pod, message, undefined)
    return undefined
  }

  #isStillTrue(known: { placedVersion: number; diagnosis: Diagnosis }): boolean {
    if (known.placedVersion === this.#placedVersion) return true
    const { refusedBy } = known.diagnosis
    return !refusedBy.has('InterPodAffinity') && !refusedBy.has('PodTopologySpread')
  }

  #tell(pod: PodInfo, message: string, plan: PreemptionPlan | undefined): void {
    const { recorder, onError } = this.#options
    recorder.record({
      about: referenceTo(pod.pod, podKind),
      type: 'Warning',
      reason: 'FailedScheduling',
      message,
      action: 'Scheduling',
    })
    if (plan !== undefined) this.#promise(pod, plan.node.name)
    const nominated = plan?.node.name ?? this.#nominations.get(pod.uid)
    this.#writeStatus(pod, message, nominated)
      .then(() => (plan === undefined ? undefined : this.#makeRoom(pod, plan)))
      .catch(onError)
  }

  async #writeStatus(pod: PodInfo, message: string, nominated: string | undefined): Promise<void> {
    const { client, signal } = this.#options
    const told = `${nominated ?? ''} ${message}`
    const condition = (pod.pod.status?.conditions ?? []).find(({ type }) => type === 'PodScheduled')
    const isOther = (pod.pod.status?.nominatedNodeName ?? '') !== (nominated ?? '')
    const isShown =
      condition?.status === 'False' &&
      condition.message === message &&
      condition.reason === 'Unschedulable' &&
      !isOther
    if (isShown || this.#told.get(pod.uid) === told) return
    this.#told.set(pod.uid, told)
    const time = timestamp(this.#options.now())
    const { generation } = pod.pod.metadata
    const next = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: condition?.status === 'False' ? (condition.lastTransitionTime ?? time) : time,
      ...(generation !== undefined && { observedGeneration: generation }),
    }
    try {
      await client.patch(
        kinds.pods,
        { namespace: pod.namespace, name: pod.name },
        {
          type: 'strategic',
          patch: {
            metadata: { uid: pod.uid },
            status: { conditions: [next], ...(isOther && { nominatedNodeName: nominated ?? null }) },
          },
        },
        { subresource: 'status', signal },
      )
    } catch (error) {
      this.#told.delete(pod.uid)
      // Deleted, or deleted and made anew under the same name, while it was being looked at.
      if (!signal.aborted && !isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
    }
  }

  async #makeRoom(pod: PodInfo, plan: PreemptionPlan): Promise<void> {
    const { client, recorder, signal, now } = this.#options
    const time = timestamp(now())
    for (const victim of plan.victims) {
      const at = { namespace: victim.namespace, name: victim.name }
      try {
        if (!victim.isTerminating) {
          const condition = {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'PreemptionByScheduler',
            message: 'default-scheduler: preempting to accommodate a higher priority pod',
            lastTransitionTime: time,
            ...(victim.pod.metadata.generation !== undefined && {
              observedGeneration: victim.pod.metadata.generation,
            }),
          }
          await client.patch(
            kinds.pods,
            at,
            {
              type: 'strategic',
              patch: { metadata: { uid: victim.uid }, status: { conditions: [condition] } },
            },
            { subresource: 'status', signal },
          )
          await client.delete(kinds.pods, at, { preconditions: { uid: victim.uid }, signal })
        }
      } catch (error) {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
      }
      recorder.record({
        about: referenceTo(victim.pod, podKind),
        type: 'Normal',
        reason: 'Preempted',
        message: `Preempted by pod ${pod.uid} on node ${plan.node.name}`,
        action: 'Preempting',
      })
    }
  }

  #promise(pod: PodInfo, nodeName: string): void {
    this.#withdraw(pod.uid)
    this.#nominations.set(pod.uid, nodeName)
    const promised = this.#promised.get(nodeName) ?? new Map<string, PodInfo>()
    this.#promised.set(nodeName, promised.set(pod.uid, pod))
  }

  #withdraw(uid: string): void {
    const nodeName = this.#nominations.get(uid)
    if (nodeName === undefined) return
    this.#nominations.delete(uid)
    const promised = this.#promised.get(nodeName)
    promised?.delete(uid)
    if (promised?.size === 0) this.#promised.delete(nodeName)
    // The room is open to others again.
    this.#version += 1
  }
}

/** Pods of equal shape fare alike. */
function shapeOf(pod: PodInfo): string {
  const { requests, spec } = pod
  return JSON.stringify([
    requests.cpu,
    requests.memory,
    [...requests.others],
    pod.priority,
    pod.namespace,
    pod.labels,
    spec.preemptionPolicy,
    spec.nodeName,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    pod.ports,
    pod.claims,
    pod.pod.status?.nominatedNodeName,
  ])
}
