import { parseQuantity, QuantityError, quantityToMilli, quantityToUnits } from '../../kube/index.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import type {
  Container,
  ContainerExit,
  ContainerKey,
  ContainerSpec,
  Notice,
  Runtime,
  UsageReading,
} from './runtime.ts'
import type { ExitStatus, LogOptions, StreamIo } from './streams.ts'

/** How lives are played. */
export interface SimulatedRuntimeOptions {
  readonly clock?: Clock
}

/** Annotations by which a pod says how its life is to be played; all of them optional. */
export const simulatedAnnotations = {
  /** Milliseconds until a container runs; at once when left out. */
  startDelay: 'simulated.arena.dev/start-delay-ms',
  /** Milliseconds until it ends by itself; for ever when left out. */
  runDuration: 'simulated.arena.dev/run-duration-ms',
  /** What it ends with; 0 when left out. */
  exitCode: 'simulated.arena.dev/exit-code',
  /** What each container is said to use, as in `250m`; none of its usage is told unless both are there. */
  cpuUsage: 'simulated.arena.dev/cpu-usage',
  /** As in `64Mi`. */
  memoryUsage: 'simulated.arena.dev/memory-usage',
} as const

/**
 * Plays containers' lives and runs nothing, for tests and for clusters of thousands of nodes: a container is one
 * small object and at most one timer.
 */
export class SimulatedRuntime implements Runtime {
  readonly name = 'simulated'
  readonly version = '1.0.0'
  readonly usesFiles = false
  readonly measures = false
  readonly #clock: Clock
  readonly #containers = new Map<string, Map<string, SimulatedContainer>>()

  constructor(options: SimulatedRuntimeOptions = {}) {
    this.#clock = options.clock ?? systemClock
  }

  async start(spec: ContainerSpec): Promise<Container> {
    const { annotations } = spec.pod
    const delayMs = numberOf(annotations[simulatedAnnotations.startDelay]) ?? 0
    if (delayMs > 0) await new Promise<void>((resolve) => this.#clock.schedule(delayMs, resolve))
    const container = new SimulatedContainer(spec, this.#clock)
    let ofPod = this.#containers.get(spec.key.podUid)
    if (ofPod === undefined) {
      ofPod = new Map()
      this.#containers.set(spec.key.podUid, ofPod)
    }
    ofPod.set(container.id, container)
    return container
  }

  /** Nothing outlives this program. The agent starts the containers of running pods anew. */
  async adopt(): Promise<readonly Container[]> {
    return []
  }

  async *logs(key: ContainerKey, options: LogOptions): AsyncGenerator<Uint8Array> {
    const container = this.#containers.get(key.podUid)?.get(containerId(key))
    const line = Buffer.from(
      `container "${key.container}" is simulated: it runs nothing and writes nothing\n`,
    )
    yield options.limitBytes === undefined ? line : line.subarray(0, options.limitBytes)
    if (options.follow === true) await container?.exited
  }

  async exec(): Promise<ExitStatus> {
    return { exitCode: 126, message: 'the container is simulated: there is nothing to run a command in' }
  }

  async attach(container: Container, io: StreamIo): Promise<ExitStatus> {
    const aborted = new Promise<undefined>((resolve) =>
      io.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
    )
    const exit = await Promise.race([container.exited, aborted])
    return { exitCode: exit?.exitCode ?? 0 }
  }

  async resize(): Promise<undefined> {
    return undefined
  }

  async usage({ key }: Container): Promise<UsageReading | undefined> {
    return this.#containers.get(key.podUid)?.get(containerId(key))?.usage()
  }

  async listenerOf(): Promise<undefined> {
    return undefined
  }

  async forget(key: ContainerKey): Promise<void> {
    this.#containers.get(key.podUid)?.delete(containerId(key))
  }

  async remove(podUid: string): Promise<void> {
    this.#containers.delete(podUid)
  }

  close(): void {
    for (const ofPod of this.#containers.values()) {
      for (const container of ofPod.values()) container.release()
    }
  }
}

const noNotices: readonly Notice[] = []
const noGpus: readonly number[] = []

class SimulatedContainer implements Container {
  readonly key: ContainerKey
  readonly id: string
  readonly startedAt: Date
  readonly notices = noNotices
  readonly gpus = noGpus
  readonly exited: Promise<ContainerExit>
  #exit: ContainerExit | undefined
  #cancel = (): void => undefined
  #settle: (exit: ContainerExit) => void = () => undefined
  readonly #clock: Clock
  readonly #usage: StatedUsage | undefined

  constructor(spec: ContainerSpec, clock: Clock) {
    this.key = spec.key
    this.#usage = statedUsage(spec.pod.annotations)
    this.id = containerId(spec.key)
    this.#clock = clock
    this.startedAt = new Date(clock.now())
    this.exited = new Promise((resolve) => {
      this.#settle = resolve
    })
    const durationMs = numberOf(spec.pod.annotations[simulatedAnnotations.runDuration])
    if (durationMs !== undefined) {
      const exitCode = numberOf(spec.pod.annotations[simulatedAnnotations.exitCode]) ?? 0
      this.#cancel = clock.schedule(durationMs, () => this.#end(exitCode))
    }
  }

  get exit(): ContainerExit | undefined {
    return this.#exit
  }

  async stop(): Promise<ContainerExit> {
    // Ends like a program that does what SIGTERM asks.
    this.#end(143)
    return this.exited
  }

  release(): void {
    this.#cancel()
  }

  /** As if it had used the same amount all the time. */
  usage(): UsageReading | undefined {
    if (this.#usage === undefined || this.#exit !== undefined) return undefined
    const at = this.#clock.now()
    return {
      at,
      cpuNanoseconds: Math.max(0, at - this.startedAt.getTime()) * this.#usage.cpuMilli * 1000,
      memoryBytes: this.#usage.memoryBytes,
    }
  }

  #end(exitCode: number): void {
    if (this.#exit !== undefined) return
    this.#cancel()
    this.#exit = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: this.startedAt,
      finishedAt: new Date(this.#clock.now()),
    }
    this.#settle(this.#exit)
  }
}

function containerId(key: ContainerKey): string {
  return `simulated://${key.podUid}/${key.container}/${key.attempt}`
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  return Number.isFinite(number) && number >= 0 ? number : undefined
}

interface StatedUsage {
  readonly cpuMilli: number
  readonly memoryBytes: number
}

function statedUsage(annotations: Readonly<Record<string, string>>): StatedUsage | undefined {
  const { [simulatedAnnotations.cpuUsage]: cpu, [simulatedAnnotations.memoryUsage]: memory } = annotations
  if (cpu === undefined || memory === undefined) return undefined
  try {
    return {
      cpuMilli: quantityToMilli(parseQuantity(cpu)),
      memoryBytes: quantityToUnits(parseQuantity(memory)),
    }
  } catch (error) {
    // As with the other annotations, what cannot be read is not there.
    if (error instanceof QuantityError) return undefined
    throw error
  }
}
