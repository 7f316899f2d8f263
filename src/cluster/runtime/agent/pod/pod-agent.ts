import type { Persisted, Pod } from '../../../../kube/index.ts'
import { hostsFile } from '../../pod-directory.ts'
import type { Container } from '../../runtime.ts'
import { type Rejection, rejectionOf } from './admission.ts'
import { startAdded } from './added-containers.ts'
import { type AgentEnd, awaitAgentEnd } from '../agent-end.ts'
import type { ContainerStarter } from '../container/container-starter.ts'
import type { PodFacts } from '../container/downward.ts'
import { Ending } from '../ending.ts'
import type { PodContainers } from './pod-containers.ts'
import type { AgentContext, NodeContext } from '../pod-context.ts'
import { type PodCourse, runInit, runMain } from './pod-course.ts'
import { deadlineVerdict, PodDeadline } from './pod-deadline.ts'
import { deletionGraceMsOf, forcedGraceMs, graceMsOf } from './pod-grace.ts'
import type { PodNotices } from './pod-notices.ts'
import { removeFromApi } from './pod-removal.ts'
import { podParts } from './pod-parts.ts'
import type { PodState } from './pod-status.ts'
import type { PodResizes } from './pod-resizes.ts'
import type { PodVolumes } from './pod-volumes.ts'
import { setGoing } from '../set-going.ts'
import type { StatusPublisher } from './status-publisher.ts'

/** Sees one pod through its life on a node, from its volumes to the removal of its last trace. */
export class PodAgent {
  readonly #context: AgentContext
  readonly #node: NodeContext
  readonly #publisher: StatusPublisher
  readonly #stopping = new Ending()
  readonly #notices: PodNotices
  readonly #volumes: PodVolumes
  readonly #starter: ContainerStarter
  readonly #containers: PodContainers
  readonly #resizes: PodResizes
  readonly #startedAt: Date
  readonly #deadline: PodDeadline
  #pod: Persisted<Pod>
  #address: string | undefined
  #isPrepared = false
  #isOver = false
  #isGone = false
  #rejection: Rejection | undefined
  #verdict: { reason: string; message: string } | undefined
  #graceMs: number | undefined
  #deletionRequested = (): void => undefined
  readonly #deletion: Promise<void>
  readonly #agentEnd: AgentEnd

  constructor(pod: Persisted<Pod>, found: readonly Container[], context: AgentContext, node: NodeContext) {
    this.#pod = pod
    this.#context = context
    this.#node = node
    this.#startedAt = new Date(timeOf(pod.status?.startTime) ?? context.clock.now())
    this.#deadline = new PodDeadline({
      startedAt: this.#startedAt,
      clock: context.clock,
      onReached: () => this.#endByDeadline(),
    })
    this.#deletion = new Promise((resolve) => {
      this.#deletionRequested = resolve
    })
    this.#agentEnd = awaitAgentEnd(context, () => this.#containers.release())
    const parts = podParts({
      pod,
      found,
      context,
      node,
      stopping: this.#stopping,
      current: () => this.#pod,
      facts: () => this.#facts(),
      state: () => this.#state(),
    })
    this.#notices = parts.notices
    this.#volumes = parts.volumes
    this.#starter = parts.starter
    this.#publisher = parts.publisher
    this.#containers = parts.containers
    this.#resizes = parts.resizes
  }

  get pod(): Persisted<Pod> {
    return this.#pod
  }

  /** Nothing of it runs or will, whether the API knows already or not. */
  get isOver(): boolean {
    return this.#isOver
  }

  get address(): string | undefined {
    return this.#address
  }

  get node(): NodeContext {
    return this.#node
  }

  /** What is known of the runs of its containers. */
  get runs(): Pick<PodContainers, 'latest' | 'attempts' | 'running' | 'waitingReason'> {
    return this.#containers
  }

  /** The pod changed in the API. */
  update(pod: Persisted<Pod>): void {
    const before = this.#pod
    const isChanged = pod.metadata.generation !== before.metadata.generation
    this.#pod = pod
    this.#publisher.update(pod)
    if (pod.metadata.deletionTimestamp === undefined) {
      if (this.#isOver) return
      if (isChanged || pod.spec?.readinessGates !== undefined) this.#publisher.request()
      if (isChanged) this.#containers.useImages()
      this.#deadline.follow(pod)
      this.#volumes.follow(before)
      this.#followSpec()
      return
    }
    this.#requestStop(deletionGraceMsOf(pod))
    this.#deletionRequested()
  }

  /** The pod is not in the API any more: end it without further ado. */
  gone(): void {
    this.#isGone = true
    this.#publisher.end()
    this.#requestStop(forcedGraceMs)
    this.#deletionRequested()
  }

  /** Brings config maps, secrets and tokens in volumes up to date. */
  async refresh(): Promise<void> {
    if (!this.#isPrepared || this.#isOver) return
    // What had no room may have some now.
    this.#resizes.follow()
    if (this.#node.runtime.usesFiles) await this.#volumes.refresh()
  }

  /** Settles when the pod has left this node and the API, or the agent ends. */
  async run(): Promise<void> {
    try {
      await this.#run()
    } finally {
      this.#agentEnd.forget()
    }
  }

  async #run(): Promise<void> {
    if (this.#pod.metadata.deletionTimestamp !== undefined) this.update(this.#pod)
    const phase = this.#pod.status?.phase
    if (phase === 'Succeeded' || phase === 'Failed') {
      this.#isOver = true
      // Its last status has been told, by an agent that knew more than its containers' ends.
      this.#publisher.end()
      await this.#agentEnd.or(this.#deletion)
    } else if (await this.#isRejected()) {
      await this.#publisher.flush()
      await this.#agentEnd.or(this.#deletion)
    } else {
      await this.#live()
    }
    if (this.#context.signal.aborted) return
    await this.#leave()
  }

  async #live(): Promise<void> {
    this.#takeAddress()
    this.#deadline.follow(this.#pod)
    const { runtime } = this.#node
    if (runtime.usesFiles) {
      // A pod that was running when the agent was restarted need not look as if it began anew.
      if (this.#pod.status?.startTime === undefined) this.#publisher.request()
      const file = hostsFile(this.#context.dataDirectory, this.#pod.metadata.uid)
      await this.#context.hosts.add(this.#pod, this.#address ?? '', file)
      this.#isPrepared = await this.#volumes.prepare(this.#stopping.signal)
      this.#notices.tellAboutImages(this.#containers.views)
    } else {
      this.#isPrepared = true
    }
    this.#followSpec()
    const course: PodCourse = {
      pod: () => this.#pod,
      context: this.#context,
      containers: this.#containers,
      stopping: this.#stopping,
      agentEnd: this.#agentEnd,
    }
    if (await runInit(course)) await runMain(course)
    if (this.#context.signal.aborted) return
    await this.#stop()
    this.#deadline.cancel()
    // Ended from outside, or by its deadline: whatever its containers said, nothing will run again.
    if (this.#stopping.isReached) this.#isOver = true
    this.#starter.releaseDevices()
    this.#context.hosts.remove(this.#pod.metadata.uid)
    await this.#publisher.flush()
    await this.#agentEnd.or(this.#deletion)
  }

  async #isRejected(): Promise<boolean> {
    this.#rejection = await rejectionOf(this.#pod, this.#context, this.#node)
    if (this.#rejection === undefined) return false
    this.#isOver = true
    this.#notices.event('Warning', this.#rejection.reason, this.#rejection.message)
    return true
  }

  /** Brings a pod that is running to what was changed in it, or added to it. */
  #followSpec(): void {
    if (!this.#isPrepared || this.#isOver || this.#stopping.isReached) return
    startAdded(this.#pod, {
      context: this.#context,
      node: this.#node,
      containers: this.#containers,
      notices: this.#notices,
    })
    this.#resizes.follow()
  }

  #requestStop(graceMs: number): void {
    if (this.#graceMs !== undefined && graceMs >= this.#graceMs) return
    const isFirst = this.#graceMs === undefined
    this.#graceMs = graceMs
    this.#stopping.reach()
    // The first stop is carried out by the pod's own course, which may be anywhere; later ones only hurry it.
    if (isFirst) setGoing(async () => this.#stop(), this.#context.onError)
    else this.#containers.hurry(graceMs)
  }

  async #stop(): Promise<void> {
    await this.#containers.stop(this.#graceMs ?? graceMsOf(this.#pod))
  }

  /** The end: the last status is told, the API lets go of the pod, and nothing of it stays on this machine. */
  async #leave(): Promise<void> {
    const { hosts, addresses, signal } = this.#context
    await this.#stop()
    this.#starter.releaseDevices()
    const { uid } = this.#pod.metadata
    if (!this.#isGone) {
      await this.#publisher.flush()
      this.#publisher.end()
      await removeFromApi(this.#context, this.#pod)
    }
    hosts.remove(uid)
    if (this.#address !== undefined) addresses.release(this.#address, uid)
    if (!signal.aborted) await this.#node.runtime.remove(uid)
  }

  #takeAddress(): void {
    const { addresses } = this.#context
    const { uid } = this.#pod.metadata
    const before = this.#pod.status?.podIP
    const kept = before !== undefined && addresses.adopt(before, uid)
    this.#address = kept ? before : addresses.take(uid)
    this.#containers.adoptDevices()
  }

  #endByDeadline(): void {
    if (this.#isOver || this.#graceMs !== undefined) return
    this.#verdict = deadlineVerdict
    this.#notices.event('Normal', deadlineVerdict.reason, deadlineVerdict.message)
    this.#requestStop(graceMsOf(this.#pod))
  }

  #facts(): PodFacts {
    return {
      pod: this.#pod,
      podAddress: this.#address ?? '',
      hostAddress: this.#node.address,
      allocatable: this.#node.allocatable,
    }
  }

  #state(): PodState {
    const resize = this.#resizes.note
    return {
      views: this.#containers.views,
      podAddress: this.#address,
      hostAddress: this.#node.address,
      startedAt: this.#startedAt,
      isPrepared: this.#isPrepared,
      isOver: this.#isOver,
      ...(resize !== undefined && { resize }),
      ...(this.#verdict !== undefined && { verdict: this.#verdict }),
      ...(this.#rejection !== undefined && { rejection: this.#rejection }),
    }
  }
}

function timeOf(time: unknown): number | undefined {
  return typeof time === 'string' ? Date.parse(time) : undefined
}
