import type { StreamIo, ExitStatus, LogOptions } from './streams.ts'

/** Names one run of one container. Attempts count from 0 and grow with every restart. */
export interface ContainerKey {
  readonly podUid: string
  readonly container: string
  readonly attempt: number
}

/** A file or directory of this machine, or memory, at a path of the container. */
export interface Mount {
  /** Absolute path in the container, normalised, never `/`. */
  readonly target: string
  readonly source:
    | {
        readonly kind: 'path'
        readonly path: string
        readonly subPath?: string
        readonly createSubPath?: boolean
      }
    | { readonly kind: 'memory'; readonly sizeBytes?: number; readonly mode?: number }
  readonly readOnly: boolean
}

/** Whom a container's processes run as. Numbers of this machine. */
export interface Identity {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups, without `gid`. */
  readonly groups: readonly number[]
}

export interface ContainerLimits {
  readonly memoryBytes?: number
  /** Cores, as in 0.5. */
  readonly cpu?: number
  /** Share of the CPU when others want it too, in cores. */
  readonly cpuRequest?: number
}

/** Everything needed to run one container once, with nothing left to look up. */
export interface ContainerSpec {
  readonly key: ContainerKey
  readonly pod: {
    readonly namespace: string
    readonly name: string
    readonly hostname: string
    /** Loopback address of the pod. */
    readonly address: string
    readonly annotations: Readonly<Record<string, string>>
  }
  /** Name of the image, recorded and not pulled. */
  readonly image: string
  /** Argument array, executed as it is; empty when the image would decide. */
  readonly command: readonly string[]
  readonly workingDirectory: string | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly identity: Identity
  readonly mounts: readonly Mount[]
  /** File that is the container's `/etc/hosts`; changed in place while it runs. */
  readonly hostsFile: string | undefined
  /** Text of the container's `/etc/resolv.conf`; that of the machine when left out. */
  readonly resolver?: string
  /** Kernel parameters that the pod wants set, by name. */
  readonly sysctls?: Readonly<Record<string, string>>
  readonly limits: ContainerLimits
  /** Indexes of the machine's GPUs given to it. */
  readonly gpus: readonly number[]
  readonly stdin: boolean
  readonly tty: boolean
  readonly readOnlyRoot: boolean
  readonly terminationMessagePath: string
  /** Signal that asks the container to end, as in `SIGTERM`. */
  readonly stopSignal: string
}

/** How a run ended. `reason` is that of the container status. */
export interface ContainerExit {
  readonly exitCode: number
  readonly signal?: number
  readonly reason: 'Completed' | 'Error' | 'OOMKilled' | 'StartError' | 'ContainerStatusUnknown'
  readonly message?: string
  readonly startedAt: Date
  readonly finishedAt: Date
}

/** One run of one container. */
export interface Container {
  readonly key: ContainerKey
  /** As in `process://<uid>/<name>/<attempt>`. */
  readonly id: string
  readonly startedAt: Date
  /** Settles when the whole process tree is gone; never rejects. */
  readonly exited: Promise<ContainerExit>
  /** Set as soon as `exited` has settled. */
  readonly exit: ContainerExit | undefined
  /** Things the user should know about this run, as event reason and message. */
  readonly notices: readonly Notice[]
  /** Indexes of the machine's GPUs that it has. */
  readonly gpus: readonly number[]
  /** Sends the stop signal, then kills after `graceMs`. Resolves like `exited`; asking twice shortens the grace. */
  stop(graceMs: number): Promise<ContainerExit>
}

export interface Notice {
  readonly reason: string
  readonly message: string
}

/** What a container has used by a moment. */
export interface UsageReading {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Of all its processes since it started. */
  readonly cpuNanoseconds: number
  /** The working set: without what the kernel could take back at once. */
  readonly memoryBytes: number
}

/** The container could not be run as asked. `reason` is that of the waiting container, as in `CreateContainerError`. */
export class ContainerRefused extends Error {
  readonly reason: string
  /** Nothing that could change would make it run. */
  readonly isFinal: boolean
  constructor(reason: string, message: string, options: { cause?: unknown; isFinal?: boolean } = {}) {
    super(message, options)
    this.name = 'ContainerRefused'
    this.reason = reason
    this.isFinal = options.isFinal === true
  }
}

/**
 * Runs containers on this machine. Knows nothing of the API; what it was told survives a restart of this program,
 * and so do the containers, if the implementation says so.
 */
export interface Runtime {
  /** As in `process`; value of the node label `arena.dev/runtime` and prefix of container ids. */
  readonly name: string
  readonly version: string
  /** False when nothing reads volumes and environment, so that nobody need prepare them. */
  readonly usesFiles: boolean
  /** Whether {@link usage} tells of every container, so that what a node uses is known too. */
  readonly measures: boolean
  /**
   * Starts a container. Resolves when its process has been started.
   *
   * @throws {ContainerRefused} when it cannot run; nothing is left running.
   */
  start(spec: ContainerSpec): Promise<Container>
  /** All runs still remembered, of all pods, running or ended: what an agent adopts after a restart. */
  adopt(): Promise<readonly Container[]>
  /** The log of a run, from its first line that is kept. */
  logs(key: ContainerKey, options: LogOptions): AsyncIterable<Uint8Array>
  /** Runs a command beside the container's own. Aborting `io.signal` kills it. */
  exec(
    container: Container,
    options: { readonly command: readonly string[]; readonly tty: boolean },
    io: StreamIo,
  ): Promise<ExitStatus>
  /** Output from now on, and stdin. */
  attach(container: Container, io: StreamIo): Promise<ExitStatus>
  /**
   * Changes what a running container may use; a limit that is left out stays as it is.
   *
   * @returns why it could not be done, and then nothing has changed; nothing when it is done.
   */
  resize(container: Container, limits: ContainerLimits): Promise<string | undefined>
  /** Reads what a running container has used; undefined when that cannot be known. */
  usage(container: Container): Promise<UsageReading | undefined>
  /** Where a process of the pod's containers listens on the TCP port; `0.0.0.0` or `::` is any address, undefined nowhere. */
  listenerOf(podUid: string, port: number): Promise<string | undefined>
  /** Forgets a run that has ended, with its files and log. */
  forget(key: ContainerKey): Promise<void>
  /** Forgets a pod whose containers have all ended, with its directory. */
  remove(podUid: string): Promise<void>
  /** Lets go of everything; what can outlive this program runs on. */
  close(): void
}
