import type { Container as ContainerManifest, RestartWish } from '../../../../kube/index.ts'
import { type Clock, pause } from '../../clock.ts'
import { type Container, type ContainerExit, ContainerRefused, type Runtime } from '../../runtime.ts'
import { Ending } from '../ending.ts'
import { type ContainerKind, type ContainerView, runningState, terminatedState } from './container-view.ts'
import { CrashBackoff, isRestarted, shortDelay } from './restart.ts'
import { attendEnd, attendRun, firstImpression } from './run-attendance.ts'
import { refusedRun } from './stand-in-runs.ts'

export interface ContainerWorkerOptions {
  readonly manifest: ContainerManifest
  readonly kind: ContainerKind
  readonly restart: RestartWish
  readonly runtime: Runtime
  readonly clock: Clock
  readonly podAddress: string
  readonly podUid: string
  /** As in `web-0_dev1(uid)`, for messages. */
  readonly podName: string
  readonly graceMs: number
  /** Attempt to start with. */
  readonly attempt: number
  readonly view: ContainerView
  /** Prepares and starts one attempt. */
  readonly start: (attempt: number, image: string) => Promise<Container>
  /** A run was found from before a restart of the agent: running, ended, or lost. */
  readonly found: Container | undefined
  readonly onChange: () => void
  readonly onEvent: (type: 'Normal' | 'Warning', reason: string, message: string) => void
  /** The last lines of the log, for containers that leave no message of their own. */
  readonly readLogTail: (container: Container) => Promise<string>
}

// How long a container that cannot be created waits to be tried again; doubles with each attempt.
const refusedDelayMs = 5000
const longestRefusedDelayMs = 60_000

/** Runs one container of a pod through all its attempts. */
export class ContainerWorker {
  readonly options: ContainerWorkerOptions
  readonly view: ContainerView
  #current: Container | undefined
  #attempt: number
  #backoff = new CrashBackoff()
  /** What the next run is to be made from. */
  #image: string
  /** The present run is made from another image than the pod asks for by now. */
  #isOutdated = false
  /** Nothing is to be started any more. */
  readonly #ending = new Ending()
  #isStopping = false
  #isRestartAsked = false
  #graceMs: number

  constructor(options: ContainerWorkerOptions) {
    this.options = options
    this.view = options.view
    this.#attempt = options.attempt
    this.#graceMs = options.graceMs
    this.#image = options.manifest.image ?? ''
  }

  get name(): string {
    return this.options.manifest.name
  }

  /** The present or latest run. */
  get current(): Container | undefined {
    return this.#current
  }

  /** The attempt that `current` belongs to. */
  get attempt(): number {
    return this.#attempt
  }

  /** Settles when the container has ended for good, or has been stopped. Tells `onStarted` once it is up. */
  async run(onStarted?: () => void): Promise<ContainerExit | undefined> {
    let next = this.options.found
    let refusals = 0
    while (!this.#ending.isReached) {
      let container: Container
      try {
        const image = this.#image
        container = next ?? (await this.options.start(this.#attempt, image))
        if (next === undefined) this.view.image = image
        this.#isOutdated = image !== this.#image
        next = undefined
        refusals = 0
      } catch (error) {
        if (!(error instanceof ContainerRefused)) throw error
        if (this.#ending.isReached) return undefined
        if (error.isFinal && !isRestarted(this.options.kind, this.options.restart, { exitCode: 128 })) {
          const key = { podUid: this.options.podUid, container: this.name, attempt: this.#attempt }
          next = refusedRun(key, error, new Date(this.options.clock.now()))
          continue
        }
        this.#change({ state: { waiting: { reason: error.reason, message: error.message } } })
        this.options.onEvent('Warning', 'Failed', `Error: ${error.message}`)
        await pause(
          this.options.clock,
          Math.min(refusedDelayMs * 2 ** refusals, longestRefusedDelayMs),
          this.#ending.signal,
        )
        refusals += 1
        continue
      }
      const exit = await this.#see(container, onStarted)
      if (this.#ending.isReached) return exit
      const mustRestart = this.#isRestartAsked || this.#isOutdated
      this.#isRestartAsked = false
      if (!mustRestart && !isRestarted(this.options.kind, this.options.restart, exit)) return exit
      await this.#waitForRestart(exit)
    }
    return this.#current?.exit
  }

  /** Ends the container and what would start it again. Asking again with less time hurries it. */
  async stop(graceMs: number): Promise<void> {
    const isFirst = !this.#isStopping
    this.#isStopping = true
    this.#graceMs = graceMs
    this.#ending.reach()
    const container = this.#current
    if (container === undefined || container.exit !== undefined) return
    let left = graceMs
    if (isFirst) {
      this.options.onEvent('Normal', 'Killing', `Stopping container ${this.name}`)
      left = Math.max(0, graceMs - (await attendEnd(this.options, container, graceMs)))
    }
    await container.stop(left)
  }

  /** Ends the run that goes on, for another with what is in force now. */
  async restart(): Promise<void> {
    const container = this.#current
    if (container === undefined || container.exit !== undefined || this.#isStopping) return
    this.#isRestartAsked = true
    this.options.onEvent('Normal', 'Killing', `Container ${this.name} resize requires restart`)
    await container.stop(this.options.graceMs)
  }

  /** The pod asks for an image: a run made from another one gives way to a new one, whatever the restart policy. */
  async useImage(image: string): Promise<void> {
    if (image === this.#image || this.options.kind === 'init') return
    this.#image = image
    const container = this.#current
    if (container === undefined || container.exit !== undefined || this.#isStopping) return
    const isFirst = !this.#isOutdated
    this.#isOutdated = true
    if (!isFirst) return
    this.options.onEvent('Normal', 'Killing', `Container ${this.name} definition changed, will be restarted`)
    const spentMs = await attendEnd(this.options, container, this.#graceMs)
    // The pod may have been told to hurry meanwhile.
    await container.stop(Math.max(0, this.#graceMs - spentMs))
  }

  /** The agent ends: the container is left as it is, and none is started any more. */
  release(): void {
    this.#ending.reach()
  }

  /** Sees one run from its start to its end. */
  async #see(container: Container, onStarted: (() => void) | undefined): Promise<ContainerExit> {
    this.#current = container
    this.#attempt = container.key.attempt
    const ended = new Ending()
    if (container.exit === undefined || container.exit.reason !== 'StartError') {
      if (container !== this.options.found) {
        this.options.onEvent('Normal', 'Started', `Started container ${this.name}`)
      }
      this.#change({
        state: runningState(container.startedAt),
        containerId: container.id,
        ...firstImpression(this.options, container),
      })
      void attendRun({
        options: this.options,
        container,
        ended,
        ending: this.#ending,
        change: (change) => this.#change(change),
        onStarted,
      })
    }
    // Stopped while it was being started.
    if (this.#isStopping) void container.stop(this.#graceMs)
    const exit = await this.#withMessage(container, await container.exited)
    ended.reach()
    if (exit.reason === 'StartError') {
      this.options.onEvent(
        'Warning',
        'Failed',
        `Error: failed to start container "${this.name}": ${exit.message ?? ''}`,
      )
    }
    this.#change({
      state: terminatedState(exit, container.id || undefined),
      containerId: container.id || undefined,
      // A finished init container counts as ready: it has done its part.
      ready: this.options.kind === 'init' && exit.exitCode === 0,
      started: false,
    })
    return exit
  }

  async #waitForRestart(exit: ContainerExit): Promise<void> {
    // What is new has not failed yet.
    if (this.#isOutdated) this.#backoff = new CrashBackoff()
    const delayMs = this.#isOutdated ? 0 : this.#backoff.next(exit)
    const { podName, clock, runtime } = this.options
    const last = this.view.state
    if (delayMs > 0) {
      const message = `back-off ${shortDelay(delayMs)} restarting failed container=${this.name} pod=${podName}`
      this.#change({
        lastState: last,
        state: { waiting: { reason: 'CrashLoopBackOff', message } },
        ready: false,
      })
      this.options.onEvent(
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${this.name} in pod ${podName}`,
      )
      const passed = clock.now() - exit.finishedAt.getTime()
      await pause(clock, delayMs - Math.max(0, passed), this.#ending.signal)
    }
    if (this.#ending.isReached) return
    this.view.lastState = last
    this.view.restartCount += 1
    const old = this.#attempt - 1
    this.#attempt += 1
    // The run before this one stays for `logs --previous`; older ones go.
    const key = this.#current?.key
    if (key !== undefined && old >= 0) await runtime.forget({ ...key, attempt: old })
  }

  async #withMessage(container: Container, exit: ContainerExit): Promise<ContainerExit> {
    const isWanted =
      this.options.manifest.terminationMessagePolicy === 'FallbackToLogsOnError' &&
      exit.exitCode !== 0 &&
      exit.message === undefined
    if (!isWanted) return exit
    const message = await this.options.readLogTail(container)
    return message === '' ? exit : { ...exit, message }
  }

  #change(change: Partial<ContainerView>): void {
    Object.assign(this.view, change)
    this.options.onChange()
  }
}
