import type { Persisted, Pod } from '../../../../kube/index.ts'
import { limitsOf } from '../container/container-spec.ts'
import type { Ending } from '../ending.ts'
import type { PodContainers } from './pod-containers.ts'
import type { AgentContext, NodeContext } from '../pod-context.ts'
import { type ResizeNote, roomFault, wantedResizes, type WantedResize } from './resize.ts'
import { setGoing } from '../set-going.ts'

export interface PodResizesOptions {
  readonly context: AgentContext
  readonly node: NodeContext
  readonly containers: PodContainers
  /** The pod is to end: nothing is changed any more. */
  readonly stopping: Ending
  readonly pod: () => Persisted<Pod>
  /** There is something new to be said of the pod. */
  readonly onChange: () => void
}

/** Brings the containers of one pod to the CPU and memory that its spec wants. */
export class PodResizes {
  readonly #options: PodResizesOptions
  #work: Promise<void> = Promise.resolve()
  #note: ResizeNote | undefined

  constructor(options: PodResizesOptions) {
    this.#options = options
  }

  /** Why what is wanted is not in force. */
  get note(): ResizeNote | undefined {
    return this.#note
  }

  /** Looks whether anything is to be changed, and changes it, one thing after the other. */
  follow(): void {
    if (this.#options.stopping.isReached) return
    this.#work = this.#work.then(async () => this.#resize()).catch(this.#options.context.onError)
  }

  async #resize(): Promise<void> {
    const { context, node, containers, stopping } = this.#options
    const pod = this.#options.pod()
    const before = this.#note
    this.#note = undefined
    const wanted = wantedResizes(pod, containers.views)
    if (wanted.length > 0 && !stopping.isReached) {
      this.#note = roomFault(pod, context.othersOn(node.name, pod.metadata.uid), node.allocatable)
      if (this.#note === undefined) for (const one of wanted) await this.#resizeOne(one)
    }
    if (wanted.length > 0 || before !== undefined) this.#options.onChange()
  }

  async #resizeOne({ view, resources, isRestart }: WantedResize): Promise<void> {
    const { context, node, containers } = this.#options
    const worker = containers.worker(view.name)
    const container = worker?.current
    if (container !== undefined && container.exit === undefined && !isRestart) {
      const why = await node.runtime.resize(container, limitsOf({ resources }))
      if (why !== undefined) {
        this.#note = { type: 'PodResizeInProgress', reason: 'Error', message: why }
        return
      }
    }
    // Whatever starts from now on starts with these.
    view.resources = resources
    if (isRestart && worker !== undefined) setGoing(async () => worker.restart(), context.onError)
  }
}
