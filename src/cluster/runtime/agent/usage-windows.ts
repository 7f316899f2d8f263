import { type Clock, pause } from '../clock.ts'
import type { Container, Runtime, UsageReading } from '../runtime.ts'
import type { ContainerUsage, PodUsage, UsageSource } from '../usage.ts'
import type { NodeContext } from './pod-context.ts'

/** A pod whose containers can be measured. */
export interface MeasuredPod {
  readonly node: Pick<NodeContext, 'runtime'>
  readonly runs: { readonly running: Iterable<Container> }
}

// Windows are as long as those of metrics-server by its own default; one is longer when nobody asked in between.
const windowMs = 15_000
// What was read longer ago says little of what goes on now.
const longestMs = 60_000
// Time between two readings where there is none to compare with, and the least time of which a mean says anything.
const shortestMs = 1000

interface Measured extends ContainerUsage {
  readonly at: number
  readonly windowMs: number
}

/** The readings that the next window can begin with, and the answer that is still good. */
interface Track {
  base: UsageReading
  next: UsageReading
  answer?: { readonly until: number; readonly measured: Promise<Measured | undefined> }
}

/**
 * Makes rates of what runtimes have counted. A window begins with an earlier reading, 15 s old or more, or with the start of
 * the container; where the last reading is older than a minute, the container is read twice, a second apart. So nothing is
 * measured while nobody asks, and an answer serves everybody who asks within a second.
 */
export class UsageWindows implements UsageSource {
  readonly #tracks = new WeakMap<Container, Track>()
  readonly #find: (podUid: string) => MeasuredPod | undefined
  readonly #runtimeOf: (node: string) => Runtime | undefined
  readonly #clock: Clock
  readonly #signal: AbortSignal

  constructor(options: {
    readonly find: (podUid: string) => MeasuredPod | undefined
    readonly runtimeOf: (node: string) => Runtime | undefined
    readonly clock: Clock
    readonly signal: AbortSignal
  }) {
    this.#find = options.find
    this.#runtimeOf = options.runtimeOf
    this.#clock = options.clock
    this.#signal = options.signal
  }

  measures(node: string): boolean {
    return this.#runtimeOf(node)?.measures === true
  }

  async podUsage(podUids: Iterable<string>): Promise<ReadonlyMap<string, PodUsage>> {
    const found = new Map<string, PodUsage>()
    await Promise.all(
      Array.from(podUids, async (uid) => {
        const pod = this.#find(uid)
        const usage = pod && (await this.#usageOf(pod))
        if (usage) found.set(uid, usage)
      }),
    )
    return found
  }

  async #usageOf({ node, runs }: MeasuredPod): Promise<PodUsage | undefined> {
    const all = await Promise.all(
      Array.from(runs.running, async (container) => this.#measure(container, node.runtime)),
    )
    const known = all.filter((one) => one !== undefined)
    const [first] = known.toSorted((a, b) => a.at - b.at)
    // A sum without one of the containers would look like less use.
    if (first === undefined || known.length < all.length) return undefined
    return {
      at: first.at,
      windowMs: first.windowMs,
      containers: known.map(({ name, cpuNanocores, memoryBytes }) => ({ name, cpuNanocores, memoryBytes })),
    }
  }

  #measure(container: Container, runtime: Runtime): Promise<Measured | undefined> {
    const track = this.#trackOf(container)
    const now = this.#clock.now()
    if (track.answer !== undefined && now < track.answer.until) return track.answer.measured
    const measured = this.#read(container, runtime, track)
    track.answer = { until: now + shortestMs, measured }
    return measured
  }

  #trackOf(container: Container): Track {
    let track = this.#tracks.get(container)
    if (track === undefined) {
      const start = { at: container.startedAt.getTime(), cpuNanoseconds: 0, memoryBytes: 0 }
      track = { base: start, next: start }
      this.#tracks.set(container, track)
    }
    return track
  }

  async #read(container: Container, runtime: Runtime, track: Track): Promise<Measured | undefined> {
    let reading = await runtime.usage(container)
    if (reading === undefined) return undefined
    if (reading.at - track.next.at > longestMs) {
      track.base = reading
      track.next = reading
      await pause(this.#clock, shortestMs, this.#signal)
      reading = await runtime.usage(container)
      if (reading === undefined) return undefined
    } else if (reading.at - track.next.at >= windowMs) {
      track.base = track.next
      track.next = reading
    }
    const { base } = track
    const passedMs = reading.at - base.at
    if (passedMs < shortestMs) return undefined
    return {
      name: container.key.container,
      at: reading.at,
      windowMs: passedMs,
      // A clock that was set back, or a process whose time was lost, must not make a negative rate.
      cpuNanocores: Math.max(
        0,
        Math.round(((reading.cpuNanoseconds - base.cpuNanoseconds) * 1000) / passedMs),
      ),
      memoryBytes: reading.memoryBytes,
    }
  }
}
