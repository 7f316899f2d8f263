import {
  type Container as ContainerManifest,
  type ContainerState,
  restartWish,
} from '../../../../kube/index.ts'
import type { Container } from '../../runtime.ts'
import { containersOf, ephemeralContainersOf } from '../container/container-kinds.ts'
import type { ContainerStarter } from '../container/container-starter.ts'
import type { ContainerKind, ContainerView } from '../container/container-view.ts'
import { ContainerWorker } from '../container/container-worker.ts'
import type { PodFacts } from '../container/downward.ts'
import type { AgentContext, NodeContext } from '../pod-context.ts'
import { graceMsOf } from './pod-grace.ts'
import type { PodNotices } from './pod-notices.ts'
import { viewFrom } from './resume.ts'
import { setGoing } from '../set-going.ts'
import { lostRun } from '../container/stand-in-runs.ts'

const logTailBytes = 2048

export interface PodContainersOptions {
  readonly context: AgentContext
  readonly node: NodeContext
  readonly starter: ContainerStarter
  readonly notices: PodNotices
  /** Runs that were found on this machine when the agent began. */
  readonly found: readonly Container[]
  readonly facts: () => PodFacts
  /** There is something new to be said of a container. */
  readonly onChange: () => void
}

/** The containers of one pod: what there is to say about each, who runs it, and which runs of it are known. */
export class PodContainers {
  readonly #options: PodContainersOptions
  readonly #views: ContainerView[] = []
  readonly #workers = new Map<string, ContainerWorker>()

  constructor(options: PodContainersOptions) {
    this.#options = options
    const { pod } = options.facts()
    for (const [kind, manifest] of containersOf(pod)) this.show(kind, manifest)
    for (const manifest of ephemeralContainersOf(pod)) this.show('ephemeral', manifest)
  }

  get views(): readonly ContainerView[] {
    return this.#views
  }

  /** Makes a container one that the pod's status speaks of. */
  show(kind: ContainerKind, manifest: ContainerManifest): void {
    if (this.#views.some(({ name }) => name === manifest.name)) return
    this.#views.push(viewFrom(this.#options.facts().pod, kind, manifest))
  }

  /** Who runs a container, once somebody does. */
  worker(name: string): ContainerWorker | undefined {
    return this.#workers.get(name)
  }

  /** The present or latest run of a container. */
  latest(name: string): Container | undefined {
    return this.#workers.get(name)?.current ?? this.#latestFound(name)
  }

  /** The runs that are going on, of all containers. */
  get running(): Container[] {
    return this.#views.flatMap(({ name }) => {
      const latest = this.latest(name)
      return latest === undefined || latest.exit !== undefined ? [] : [latest]
    })
  }

  /** Runs of a container that are remembered, the latest first. */
  attempts(name: string): number[] {
    const current = this.latest(name)
    const all = this.#options.found.filter(({ key }) => key.container === name).map(({ key }) => key.attempt)
    if (current !== undefined) all.push(current.key.attempt, current.key.attempt - 1)
    return [...new Set(all)].filter((attempt) => attempt >= 0).sort((a, b) => b - a)
  }

  /** Why a container has no run yet. */
  waitingReason(name: string): string {
    const view = this.#views.find((one) => one.name === name)
    return view?.state.waiting?.message ?? view?.state.waiting?.reason ?? 'ContainerCreating'
  }

  /** How a container had ended when the agent began, if nothing is left of it but the word of that. */
  endBefore(name: string): ContainerState['terminated'] {
    const { terminated } = this.#view(name).state
    return this.#latestFound(name) === undefined ? terminated : undefined
  }

  /** Gives a container somebody to run it, who goes on with the run that was found, if one was. */
  take(kind: ContainerKind, manifest: ContainerManifest): ContainerWorker {
    const { context, node, starter, notices, onChange } = this.#options
    const { pod, podAddress } = this.#options.facts()
    const { name, namespace = '', uid } = pod.metadata
    const view = this.#view(manifest.name)
    const found = this.#latestFound(manifest.name) ?? this.#lost(view)
    // The agent may have ended between the start of an attempt and the word of it.
    view.restartCount = Math.max(view.restartCount, found?.key.attempt ?? 0)
    const worker = new ContainerWorker({
      manifest,
      kind,
      restart: restartWish(pod.spec?.restartPolicy, manifest),
      runtime: node.runtime,
      clock: context.clock,
      podAddress,
      podUid: uid,
      podName: `${name}_${namespace}(${uid})`,
      graceMs: graceMsOf(pod),
      attempt: found?.key.attempt ?? view.restartCount,
      view,
      found,
      // A change may have come, or not have been possible, since the worker was made.
      start: async (attempt, image) =>
        starter.start(
          kind === 'ephemeral' ? manifest : { ...manifest, image, resources: view.resources },
          attempt,
        ),
      onChange,
      onEvent: (type, reason, message) =>
        notices.event(type, reason, message, `spec.${fields[kind]}{${manifest.name}}`),
      readLogTail: async (container) => this.#logTail(container),
    })
    this.#workers.set(manifest.name, worker)
    return worker
  }

  /** Leaves the containers that were found running the devices they have. */
  adoptDevices(): void {
    for (const container of this.#options.found) this.#options.starter.adoptDevices(container)
  }

  /** Brings the containers to the images that the pod asks for by now. */
  useImages(): void {
    const { context, facts } = this.#options
    for (const [, { name, image = '' }] of containersOf(facts().pod)) {
      const worker = this.#workers.get(name)
      if (worker !== undefined) setGoing(async () => worker.useImage(image), context.onError)
    }
  }

  /** Main containers first, then sidecars from the last to the first, all within one grace period. */
  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#options.context
    const since = clock.now()
    const left = (): number => Math.max(0, graceMs - (clock.now() - since))
    const sidecars = containersOf(this.#options.facts().pod).filter(([kind]) => kind === 'sidecar')
    const names = new Set(sidecars.map(([, { name }]) => name))
    await Promise.all(
      [...this.#workers.values()]
        .filter(({ name }) => !names.has(name))
        .map(async (one) => one.stop(graceMs)),
    )
    for (const [, { name }] of sidecars.reverse()) await this.#workers.get(name)?.stop(left())
    // Found after a restart of the agent, and not taken up before the pod was to end.
    await Promise.all(
      this.#options.found.map(async (one) => (one.exit === undefined ? one.stop(left()) : undefined)),
    )
  }

  /** Leaves less time to containers that are being stopped already. */
  hurry(graceMs: number): void {
    const { onError } = this.#options.context
    for (const worker of this.#workers.values()) setGoing(async () => worker.stop(graceMs), onError)
  }

  /** The agent ends: all containers are left as they are, and none is started any more. */
  release(): void {
    for (const worker of this.#workers.values()) worker.release()
  }

  #view(name: string): ContainerView {
    const view = this.#views.find((one) => one.name === name)
    if (view === undefined) throw new Error(`pod has no container "${name}"`)
    return view
  }

  #latestFound(name: string): Container | undefined {
    return this.#options.found
      .filter(({ key }) => key.container === name)
      .sort((a, b) => b.key.attempt - a.key.attempt)[0]
  }

  /** A run that was going on when the agent before this one ended, and of which nothing was found. */
  #lost(view: ContainerView): Container | undefined {
    const { context, node, facts } = this.#options
    if (view.state.running === undefined || !node.runtime.usesFiles) return undefined
    return lostRun(facts().pod, view, new Date(context.clock.now()))
  }

  async #logTail(container: Container): Promise<string> {
    const { runtime } = this.#options.node
    const pieces: Buffer[] = []
    const options = { container: container.key.container, tailLines: 80 }
    for await (const chunk of runtime.logs(container.key, options)) pieces.push(Buffer.from(chunk))
    return Buffer.concat(pieces).subarray(-logTailBytes).toString('utf8')
  }
}

const fields: Readonly<Record<ContainerKind, string>> = {
  init: 'initContainers',
  sidecar: 'initContainers',
  main: 'containers',
  ephemeral: 'ephemeralContainers',
}
