import type { ChildProcess } from 'node:child_process'
import { watch, type FSWatcher } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, ContainerExit, ContainerKey, Notice } from '../runtime.ts'
import { isAlive, readShimFile } from './shim.ts'
import type { ShimExit, ShimSpec, ShimState } from './shim-spec.ts'

// How often the life of an adopted container is checked, beside being told of its end.
const lifeCheckMs = 2000
// How long after the last signal the container's supervisor itself is ended.
const patienceMs = 5000
// As much of a termination message as Kubernetes keeps.
const messageBytes = 4096

export interface ProcessContainerOptions {
  readonly key: ContainerKey
  readonly directory: string
  readonly spec: ShimSpec
  readonly state: ShimState
  readonly notices: readonly Notice[]
  /** Did the kernel kill something in it for want of memory? */
  readonly wasOutOfMemory: () => Promise<boolean>
  /** Present when this program started it, absent when it was adopted. */
  readonly process?: ChildProcess
}

/** A container kept by a shim that this program started, or one that it found after a restart. */
export class ProcessContainer implements Container {
  readonly key: ContainerKey
  readonly id: string
  readonly startedAt: Date
  readonly notices: readonly Notice[]
  readonly directory: string
  readonly spec: ShimSpec
  readonly state: ShimState
  readonly exited: Promise<ContainerExit>
  #exit: ContainerExit | undefined
  #killTimer: NodeJS.Timeout | undefined
  #killAt = Number.POSITIVE_INFINITY
  #stopWatching = (): void => undefined
  readonly #wasOutOfMemory: () => Promise<boolean>

  constructor(options: ProcessContainerOptions) {
    this.key = options.key
    this.id = containerId(options.key)
    this.startedAt = new Date(options.state.startedAt)
    this.notices = options.notices
    this.directory = options.directory
    this.spec = options.spec
    this.state = options.state
    this.#wasOutOfMemory = options.wasOutOfMemory
    this.exited = this.#waitForEnd(options.process)
  }

  get exit(): ContainerExit | undefined {
    return this.#exit
  }

  get gpus(): readonly number[] {
    return this.spec.gpus
  }

  get isShimAlive(): boolean {
    return isAlive(this.state.shim, this.state.shimStart, this.state.boot)
  }

  async stop(graceMs: number): Promise<ContainerExit> {
    const killAt = Date.now() + graceMs
    if (this.#exit === undefined && killAt < this.#killAt) {
      this.#killAt = killAt
      clearTimeout(this.#killTimer)
      if (graceMs > 0) this.signal('SIGTERM')
      this.#killTimer = setTimeout(() => this.#kill(), Math.max(0, graceMs))
    }
    return this.exited
  }

  /** SIGTERM: pass the stop signal on. SIGINT: kill. SIGUSR2: stdin has ended. SIGWINCH: the terminal has a new size. */
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGUSR2' | 'SIGWINCH' | 'SIGKILL'): void {
    if (this.isShimAlive) process.kill(this.state.shim, name)
  }

  /** Lets go of it; it runs on. */
  release(): void {
    clearTimeout(this.#killTimer)
    this.#stopWatching()
  }

  #kill(): void {
    this.signal('SIGINT')
    // The kernel ends the container together with a supervisor that does not answer.
    this.#killTimer = setTimeout(() => this.signal('SIGKILL'), patienceMs)
  }

  async #waitForEnd(child: ChildProcess | undefined): Promise<ContainerExit> {
    if (child !== undefined) {
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise<void>((resolve) => child.once('exit', () => resolve()))
      }
    } else {
      await this.#watchForEnd()
    }
    clearTimeout(this.#killTimer)
    this.#exit = await readExit(this.directory, this.state, this.#wasOutOfMemory)
    return this.#exit
  }

  async #watchForEnd(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    let watcher: FSWatcher | undefined
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!this.isShimAlive) resolve()
      }
      // The report is written just before the shim ends: look again a moment later.
      watcher = watch(this.directory, () => setTimeout(look, 20))
      timer = setInterval(look, lifeCheckMs)
      timer.unref()
      this.#stopWatching = () => {
        watcher?.close()
        clearInterval(timer)
      }
      look()
    })
    this.#stopWatching()
  }
}

export function containerId(key: ContainerKey): string {
  return `process://${key.podUid}/${key.container}/${key.attempt}`
}

/** The end of a run as its files tell it; a run without a report was lost together with its supervisor. */
export async function readExit(
  directory: string,
  state: ShimState | undefined,
  wasOutOfMemory: () => Promise<boolean>,
): Promise<ContainerExit> {
  const report = await readShimFile<ShimExit>(join(directory, 'exit.json'))
  if (report === undefined) {
    const isKilled = await wasOutOfMemory()
    return {
      exitCode: 137,
      reason: isKilled ? 'OOMKilled' : 'ContainerStatusUnknown',
      ...(!isKilled && {
        message: 'the container was lost: the machine was restarted or its supervisor was killed',
      }),
      startedAt: new Date(state?.startedAt ?? Date.now()),
      finishedAt: new Date(),
    }
  }
  const message = report.message ?? (await readMessage(join(directory, 'termination-log')))
  return {
    exitCode: report.exitCode,
    ...(report.signal !== undefined && { signal: report.signal }),
    reason:
      report.reason ??
      (report.exitCode === 0 ? 'Completed' : (await wasOutOfMemory()) ? 'OOMKilled' : 'Error'),
    ...(message !== '' && { message }),
    startedAt: new Date(report.startedAt),
    finishedAt: new Date(report.finishedAt),
  }
}

async function readMessage(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined)
  // Gone with the pod's directory: then nobody will miss the message either.
  if (file === undefined) return ''
  try {
    const buffer = Buffer.alloc(messageBytes)
    const { bytesRead } = await file.read(buffer, 0, messageBytes, 0)
    return buffer.subarray(0, bytesRead).toString('utf8')
  } finally {
    await file.close()
  }
}
