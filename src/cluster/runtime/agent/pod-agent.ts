import type { Container as ContainerManifest, Persisted, Pod } from '../../../kube/index.ts'
import { hostsFile } from '../pod-directory.ts'
import type { Container, ContainerExit } from '../runtime.ts'
import { containersOf, ephemeralContainersOf } from './container-kinds.ts'
import { ContainerStarter } from './container-starter.ts'
import type { ContainerKind, ContainerView } from './container-view.ts'
import { ContainerWorker } from './container-worker.ts'
import type { PodFacts } from './downward.ts'
import { Ending } from './ending.ts'
import type { AgentContext, NodeContext } from './pod-context.ts'
import { PodNotices } from './pod-notices.ts'
import { removeFromApi } from './pod-removal.ts'
import { podStatus, type PodState } from './pod-status.ts'
import { PodVolumes } from './pod-volumes.ts'
import { limitsOf } from './container-spec.ts'
import { type ResizeNote, roomFault, wantedResizes, type WantedResize } from './resize.ts'
import { lostExit, viewFrom } from './resume.ts'
import { StatusPublisher } from './status-publisher.ts'

const usualGraceSeconds = 30
// The least that a container gets to end by itself, also when its pod was removed by force.
const forcedGraceMs = 2000
const logTailBytes = 2048

// One piece, though long: everything here changes the course of one pod's life, and every part can end it for the others.

/** Sees one pod through its life on a node, from its volumes to the removal of its last trace. */
export class PodAgent {
  readonly #context: AgentContext
  readonly #node: NodeContext
  readonly #publisher: StatusPublisher
  readonly #workers = new Map<string, ContainerWorker>()
  readonly #views: ContainerView[] = []
  readonly #stopping = new Ending()
  readonly #notices: PodNotices
  readonly #volumes: PodVolumes
  readonly #starter: ContainerStarter
  readonly #startedAt: Date
  readonly #found: readonly Container[]
  #pod: Persisted<Pod>
  #address: string | undefined
  #isPrepared = false
  #resizing: Promise<void> = Promise.resolve()
  #resizeNote: ResizeNote | undefined
  #isOver = false
  #isGone = false
  #verdict: { reason: string; message: string } | undefined
  #graceMs: number | undefined
  #cancelDeadline = (): void => undefined
  #deletionRequested = (): void => undefined
  readonly #deletion: Promise<void>
  readonly #agentEnd: Promise<void>
  #forgetAgentEnd = (): void => undefined

  constructor(pod: Persisted<Pod>, found: readonly Container[], context: AgentContext, node: NodeContext) {
    this.#pod = pod
    this.#found = found
    this.#context = context
    this.#node = node
    this.#startedAt = new Date(timeOf(pod.status?.startTime) ?? context.clock.now())
    this.#deletion = new Promise((resolve) => {
      this.#deletionRequested = resolve
    })
    this.#agentEnd = new Promise((resolve) => {
      const onEnd = (): void => {
        for (const worker of this.#workers.values()) worker.release()
        resolve()
      }
      context.endings.add(onEnd)
      this.#forgetAgentEnd = () => context.endings.delete(onEnd)
    })
    this.#notices = new PodNotices({
      recorder: context.recorder,
      pod: () => this.#pod,
      // Pods that are only played are many, and nobody reads about their lives.
      isQuiet: !node.runtime.usesFiles,
    })
    this.#volumes = new PodVolumes(context, this.#notices, () => this.#facts())
    this.#starter = new ContainerStarter({
      context,
      node,
      volumes: this.#volumes,
      notices: this.#notices,
      facts: () => this.#facts(),
    })
    this.#publisher = new StatusPublisher(pod, {
      client: context.client,
      clock: context.clock,
      gate: context.writes,
      signal: context.signal,
      onError: context.onError,
      compute: () => podStatus(this.#pod, this.#state(), new Date(context.clock.now())),
    })
    for (const [kind, manifest] of containersOf(pod)) this.#views.push(viewFrom(pod, kind, manifest))
    this.#viewEphemeral()
  }

  get pod(): Persisted<Pod> {
    return this.#pod
  }

  get address(): string | undefined {
    return this.#address
  }

  get node(): NodeContext {
    return this.#node
  }

  /** The present or latest run of a container. */
  container(name: string): Container | undefined {
    return this.#workers.get(name)?.current ?? this.#latest(name)
  }

  /** Runs of a container that are remembered, the latest first. */
  attempts(name: string): number[] {
    const current = this.container(name)
    const all = this.#found.filter(({ key }) => key.container === name).map(({ key }) => key.attempt)
    if (current !== undefined) all.push(current.key.attempt, current.key.attempt - 1)
    return [...new Set(all)].filter((attempt) => attempt >= 0).sort((a, b) => b - a)
  }

  /** Why a container has no run yet. */
  waitingReason(name: string): string {
    const view = this.#views.find((one) => one.name === name)
    return view?.state.waiting?.message ?? view?.state.waiting?.reason ?? 'ContainerCreating'
  }

  /** The pod changed in the API. */
  update(pod: Persisted<Pod>): void {
    const isChanged = pod.metadata.generation !== this.#pod.metadata.generation
    this.#pod = pod
    this.#publisher.update(pod)
    if (pod.metadata.deletionTimestamp === undefined) {
      if (this.#isOver) return
      if (isChanged || pod.spec?.readinessGates !== undefined) this.#publisher.request()
      if (isChanged) this.#useImages()
      this.#startEphemeral()
      this.#resize()
      return
    }
    const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? usualGraceSeconds) * 1000
    this.#requestStop(graceMs)
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
    this.#resize()
    if (this.#node.runtime.usesFiles) await this.#volumes.refresh()
  }

  /** Settles when the pod has left this node and the API, or the agent ends. */
  async run(): Promise<void> {
    try {
      await this.#run()
    } finally {
      this.#forgetAgentEnd()
    }
  }

  async #run(): Promise<void> {
    if (this.#pod.metadata.deletionTimestamp !== undefined) this.update(this.#pod)
    const phase = this.#pod.status?.phase
    if (phase === 'Succeeded' || phase === 'Failed') {
      this.#isOver = true
      // Its last status has been told, by an agent that knew more than its containers' ends.
      this.#publisher.end()
      await this.#orAgentEnd(this.#deletion)
    } else {
      await this.#live()
    }
    if (this.#context.signal.aborted) return
    await this.#leave()
  }

  async #live(): Promise<void> {
    this.#takeAddress()
    this.#watchDeadline()
    const { runtime } = this.#node
    if (runtime.usesFiles) {
      // A pod that was running when the agent was restarted need not look as if it began anew.
      if (this.#pod.status?.startTime === undefined) this.#publisher.request()
      const file = hostsFile(this.#context.dataDirectory, this.#pod.metadata.uid)
      await this.#context.hosts.add(this.#pod, this.#address ?? '', file)
      this.#isPrepared = await this.#volumes.prepare(this.#stopping.signal)
      this.#tellAboutImages()
    } else {
      this.#isPrepared = true
    }
    this.#startEphemeral()
    this.#resize()
    if (await this.#initialize()) await this.#runMain()
    if (this.#context.signal.aborted) return
    await this.#stopAll()
    this.#cancelDeadline()
    // Ended from outside, or by its deadline: whatever its containers said, nothing will run again.
    if (this.#stopping.isReached) this.#isOver = true
    this.#starter.releaseDevices()
    this.#context.hosts.remove(this.#pod.metadata.uid)
    await this.#publisher.flush()
    await this.#orAgentEnd(this.#deletion)
  }

  /** Runs init containers in order. True when the pod may go on. */
  async #initialize(): Promise<boolean> {
    for (const [kind, manifest] of containersOf(this.#pod)) {
      if (kind === 'main') continue
      if (this.#stopping.isReached || this.#context.signal.aborted) return false
      const view = this.#view(manifest.name)
      // Done before a restart of the agent.
      if (
        kind === 'init' &&
        view.state.terminated?.exitCode === 0 &&
        this.#latest(manifest.name) === undefined
      )
        continue
      const worker = this.#worker(kind, manifest)
      if (kind === 'sidecar') {
        const ended = this.#guard(worker.run.bind(worker))
        await this.#orAgentEnd(ended.started)
        continue
      }
      let exit: ContainerExit | undefined
      await this.#orAgentEnd(
        worker.run().then((ended) => {
          exit = ended
        }),
      )
      if (exit?.exitCode !== 0) return false
    }
    return !this.#stopping.isReached
  }

  async #runMain(): Promise<void> {
    const main = containersOf(this.#pod).filter(([kind]) => kind === 'main')
    await this.#orAgentEnd(
      Promise.all(
        main.map(async ([kind, manifest]) => {
          const view = this.#view(manifest.name)
          const isDone = view.state.terminated !== undefined && this.#latest(manifest.name) === undefined
          if (isDone && this.#pod.spec?.restartPolicy !== 'Always') return
          await this.#worker(kind, manifest).run()
        }),
      ),
    )
  }

  #viewEphemeral(): void {
    for (const manifest of ephemeralContainersOf(this.#pod))
      if (!this.#views.some(({ name }) => name === manifest.name))
        this.#views.push(viewFrom(this.#pod, 'ephemeral', manifest))
  }

  /** Starts what was added to the pod to look at it, each once and for as long as the pod lives. */
  #startEphemeral(): void {
    if (!this.#isPrepared || this.#isOver || this.#stopping.signal.aborted) return
    this.#viewEphemeral()
    for (const manifest of ephemeralContainersOf(this.#pod)) {
      const { name } = manifest
      const hasEnded = this.#view(name).state.terminated !== undefined && this.#latest(name) === undefined
      if (this.#workers.has(name) || hasEnded) continue
      this.#tellAboutTarget(name)
      const worker = this.#worker('ephemeral', manifest)
      this.#guard(async () => worker.run())
    }
  }

  /** Brings containers to the CPU and memory that the spec wants, one change after the other. */
  #resize(): void {
    if (!this.#isPrepared || this.#isOver || this.#stopping.signal.aborted) return
    this.#resizing = this.#resizing.then(async () => this.#resizeNow()).catch(this.#context.onError)
  }

  async #resizeNow(): Promise<void> {
    const before = this.#resizeNote
    this.#resizeNote = undefined
    const wanted = wantedResizes(this.#pod, this.#views)
    if (wanted.length > 0 && !this.#stopping.signal.aborted) {
      const { name, allocatable } = this.#node
      this.#resizeNote = roomFault(
        this.#pod,
        this.#context.othersOn(name, this.#pod.metadata.uid),
        allocatable,
      )
      if (this.#resizeNote === undefined) for (const one of wanted) await this.#resizeOne(one)
    }
    if (wanted.length > 0 || before !== undefined) this.#publisher.request()
  }

  async #resizeOne({ view, resources, isRestart }: WantedResize): Promise<void> {
    const worker = this.#workers.get(view.name)
    const container = worker?.current
    if (container !== undefined && container.exit === undefined && !isRestart) {
      const why = await this.#node.runtime.resize(container, limitsOf({ resources }))
      if (why !== undefined) {
        this.#resizeNote = { type: 'PodResizeInProgress', reason: 'Error', message: why }
        return
      }
    }
    // Whatever starts from now on starts with these.
    view.resources = resources
    if (isRestart && worker !== undefined) this.#guard(async () => worker.restart())
  }

  #tellAboutTarget(name: string): void {
    const added = this.#pod.spec?.ephemeralContainers?.find((one) => one.name === name)
    if (!added?.targetContainerName || !this.#node.runtime.usesFiles) return
    this.#notices.tell({
      reason: 'TargetNotJoined',
      message: `container "${name}" does not see the processes of "${added.targetContainerName}": each container has a process namespace of its own here`,
    })
  }

  /** Starts something that goes on by itself. `started` settles when it is up, or over. */
  #guard(run: (onStarted: () => void) => Promise<unknown>): { started: Promise<void> } {
    const started = new Promise<void>((resolve) => {
      run(resolve).then(
        () => resolve(),
        (error: unknown) => {
          this.#context.onError(error)
          resolve()
        },
      )
    })
    return { started }
  }

  #worker(kind: ContainerKind, manifest: ContainerManifest): ContainerWorker {
    const { runtime } = this.#node
    const { name, namespace = '', uid } = this.#pod.metadata
    const view = this.#view(manifest.name)
    const found = this.#resumed(manifest.name, view)
    // The agent may have ended between the start of an attempt and the word of it.
    view.restartCount = Math.max(view.restartCount, found?.key.attempt ?? 0)
    const worker = new ContainerWorker({
      manifest,
      kind,
      restartPolicy: this.#pod.spec?.restartPolicy,
      runtime,
      clock: this.#context.clock,
      podAddress: this.#address ?? '',
      podUid: uid,
      podName: `${name}_${namespace}(${uid})`,
      graceMs: (this.#pod.spec?.terminationGracePeriodSeconds ?? usualGraceSeconds) * 1000,
      attempt: found?.key.attempt ?? view.restartCount,
      view,
      found,
      // A change may have come, or not have been possible, since the worker was made.
      start: async (attempt, image) =>
        this.#starter.start(
          kind === 'ephemeral' ? manifest : { ...manifest, image, resources: view.resources },
          attempt,
        ),
      onChange: () => this.#publisher.request(),
      onEvent: (type, reason, message) =>
        this.#notices.event(type, reason, message, `spec.${fields[kind]}{${manifest.name}}`),
      readLogTail: async (container) => this.#logTail(container),
    })
    this.#workers.set(manifest.name, worker)
    return worker
  }

  #useImages(): void {
    for (const [, { name, image = '' }] of containersOf(this.#pod)) {
      const worker = this.#workers.get(name)
      if (worker !== undefined) this.#guard(async () => worker.useImage(image))
    }
  }

  /** The run to go on with after a restart of the agent. */
  #resumed(name: string, view: ContainerView): Container | undefined {
    const found = this.#latest(name)
    if (found !== undefined) return found
    const wasRunning = view.state.running !== undefined
    if (!wasRunning || !this.#node.runtime.usesFiles) return undefined
    return lostExit(this.#pod, view, new Date(this.#context.clock.now()))
  }

  #latest(name: string): Container | undefined {
    return this.#found
      .filter(({ key }) => key.container === name)
      .sort((a, b) => b.key.attempt - a.key.attempt)[0]
  }

  #requestStop(graceMs: number): void {
    if (this.#graceMs !== undefined && graceMs >= this.#graceMs) return
    const isFirst = this.#graceMs === undefined
    this.#graceMs = graceMs
    this.#stopping.reach()
    // The first stop is carried out by the pod's own course, which may be anywhere; later ones only hurry it.
    if (isFirst) this.#guard(async () => this.#stopAll())
    else for (const worker of this.#workers.values()) this.#guard(async () => worker.stop(graceMs))
  }

  /** Main containers first, then sidecars from the last to the first, all within one grace period. */
  async #stopAll(): Promise<void> {
    const graceMs =
      this.#graceMs ?? (this.#pod.spec?.terminationGracePeriodSeconds ?? usualGraceSeconds) * 1000
    const since = this.#context.clock.now()
    const left = (): number => Math.max(0, graceMs - (this.#context.clock.now() - since))
    const sidecars = containersOf(this.#pod).filter(([kind]) => kind === 'sidecar')
    const names = new Set(sidecars.map(([, { name }]) => name))
    await Promise.all(
      [...this.#workers.values()]
        .filter(({ name }) => !names.has(name))
        .map(async (one) => one.stop(graceMs)),
    )
    for (const [, { name }] of sidecars.reverse()) await this.#workers.get(name)?.stop(left())
    // Found after a restart of the agent, and not taken up before the pod was to end.
    await Promise.all(this.#found.map(async (one) => (one.exit === undefined ? one.stop(left()) : undefined)))
  }

  /** The end: the last status is told, the API lets go of the pod, and nothing of it stays on this machine. */
  async #leave(): Promise<void> {
    const { hosts, addresses, signal } = this.#context
    await this.#stopAll()
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
    for (const container of this.#found) this.#starter.adoptDevices(container)
  }

  #watchDeadline(): void {
    const seconds = this.#pod.spec?.activeDeadlineSeconds
    if (seconds === undefined) return
    const at = this.#startedAt.getTime() + seconds * 1000
    this.#cancelDeadline = this.#context.clock.schedule(at - this.#context.clock.now(), () => {
      if (this.#isOver || this.#graceMs !== undefined) return
      this.#verdict = {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      }
      this.#notices.event(
        'Normal',
        'DeadlineExceeded',
        'Pod was active on the node longer than the specified deadline',
      )
      this.#requestStop((this.#pod.spec?.terminationGracePeriodSeconds ?? usualGraceSeconds) * 1000)
    })
  }

  #tellAboutImages(): void {
    const images = [...new Set(this.#views.map(({ image }) => image))].join(', ')
    this.#notices.tell({
      reason: 'ImageNotPulled',
      message: `the image ${images} is recorded and not pulled: the command runs on this machine's own software and network`,
    })
  }

  #facts(): PodFacts {
    return {
      pod: this.#pod,
      podAddress: this.#address ?? '',
      hostAddress: this.#node.address,
      allocatable: this.#node.allocatable,
    }
  }

  async #logTail(container: Container): Promise<string> {
    const pieces: Buffer[] = []
    const options = { container: container.key.container, tailLines: 80 }
    for await (const chunk of this.#node.runtime.logs(container.key, options)) pieces.push(Buffer.from(chunk))
    return Buffer.concat(pieces).subarray(-logTailBytes).toString('utf8')
  }

  #view(name: string): ContainerView {
    const view = this.#views.find((one) => one.name === name)
    if (view === undefined) throw new Error(`pod has no container "${name}"`)
    return view
  }

  #state(): PodState {
    return {
      views: this.#views,
      podAddress: this.#address,
      hostAddress: this.#node.address,
      startedAt: this.#startedAt,
      isPrepared: this.#isPrepared,
      isOver: this.#isOver,
      ...(this.#resizeNote !== undefined && { resize: this.#resizeNote }),
      ...(this.#verdict !== undefined && { verdict: this.#verdict }),
    }
  }

  async #orAgentEnd(work: Promise<unknown>): Promise<void> {
    await Promise.race([work, this.#agentEnd])
  }
}

const fields: Readonly<Record<ContainerKind, string>> = {
  init: 'initContainers',
  sidecar: 'initContainers',
  main: 'containers',
  ephemeral: 'ephemeralContainers',
}

function timeOf(time: unknown): number | undefined {
  return typeof time === 'string' ? Date.parse(time) : undefined
}
