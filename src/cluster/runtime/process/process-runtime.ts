import { existsSync, realpathSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { logFile, runDirectory } from '../pod-directory.ts'
import {
  type Container,
  type ContainerKey,
  type ContainerLimits,
  ContainerRefused,
  type ContainerSpec,
  type Notice,
  type Runtime,
  type UsageReading,
} from '../runtime.ts'
import type { ExitStatus, LogOptions, StreamIo } from '../streams.ts'
import { attachToContainer } from './attach.ts'
import { ControlGroups } from './cgroup.ts'
import { endedContainer } from './ended-container.ts'
import { execInContainer } from './exec.ts'
import { standInCommand } from './git-sync.ts'
import { type FoundIsolation, findIsolation } from './isolation.ts'
import { readLog } from './log-reader.ts'
import { defaultSoftware, type MachineView } from './machine-root.ts'
import { prepareRun } from './prepare-run.ts'
import { containerId, ProcessContainer, readExit } from './process-container.ts'
import { ProcessTable } from './process-table.ts'
import { allRuns, removePod, removeRun, runsOf } from './runs-on-disk.ts'
import { readShimFile, startShim } from './shim.ts'
import type { Isolation, ShimSpec, ShimState } from './shim-spec.ts'
import { findListener } from './sockets.ts'
import { planSysctls } from './sysctls.ts'

/** Where containers are kept, and how far they are let. */
export interface ProcessRuntimeOptions {
  readonly dataDirectory: string
  /** Lets pods run as user 0 of this machine, with the rights a container engine gives. Off: they are refused. */
  readonly allowRoot?: boolean
  /** Identifiers by which CUDA knows the machine's GPUs, by index. Without, the index itself is used. */
  readonly gpuIdentifiers?: readonly string[]
  /** Processes and threads that one container may have. */
  readonly podPids?: number
  /** How containers are kept apart; found out by trying when left out. */
  readonly isolation?: Isolation
  readonly logMaxBytes?: number
  readonly logMaxFiles?: number
}

/**
 * Runs containers as processes of this machine, each in namespaces of its own and kept by a supervisor (`shim.py`)
 * that outlives this program. The network is the machine's.
 */
export class ProcessRuntime implements Runtime {
  readonly name = 'process'
  readonly version = '1.0.0'
  readonly usesFiles = true
  readonly measures = true
  readonly #options: ProcessRuntimeOptions
  readonly #view: MachineView
  readonly #groups: ControlGroups
  readonly #processes = new ProcessTable()
  readonly #containers = new Map<string, ProcessContainer>()
  #found: Promise<FoundIsolation> | undefined

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options
    this.#groups = new ControlGroups({ podPids: options.podPids ?? 4096 })
    this.#view = {
      software: defaultSoftware,
      hidden: [
        existsSync(options.dataDirectory) ? realpathSync(options.dataDirectory) : options.dataDirectory,
      ],
    }
  }

  async start(spec: ContainerSpec): Promise<Container> {
    this.#checkIdentity(spec)
    const command = spec.command.length > 0 ? spec.command : standInCommand(spec)
    if (command === undefined) {
      throw new ContainerRefused(
        'CreateContainerConfigError',
        `container "${spec.key.container}" names no command: images are not pulled here, so there is no entry point of "${spec.image}" to take it from`,
      )
    }
    this.#found ??= findIsolation(
      join(this.#options.dataDirectory, 'probes'),
      this.#view,
      this.#options.isolation,
    )
    const { isolation, notices, refusal } = await this.#found
    if (refusal !== undefined) throw new ContainerRefused('CreateContainerError', refusal)
    const { dataDirectory, gpuIdentifiers = [] } = this.#options
    const plan = await prepareRun(spec, command, {
      dataDirectory,
      isolation,
      view: this.#view,
      gpuIdentifiers,
      logMaxBytes: this.#options.logMaxBytes ?? 10 * 1024 * 1024,
      logMaxFiles: this.#options.logMaxFiles ?? 5,
    })
    const group = await this.#groups.create(groupName(spec.key), spec.limits)
    const sysctls = planSysctls(spec.sysctls ?? {}, isolation)
    const shimSpec: ShimSpec = { ...plan, sysctls: sysctls.set, cgroups: group.procs }
    const directory = runDirectory(dataDirectory, spec.key)
    await writeFile(join(directory, 'spec.json'), JSON.stringify(shimSpec), { mode: 0o600 })
    return this.#launch(spec.key, directory, shimSpec, [
      ...notices,
      ...sysctls.notices,
      ...(group.notEnforced === undefined
        ? []
        : [{ reason: 'LimitsNotEnforced', message: group.notEnforced }]),
    ])
  }

  async #launch(
    key: ContainerKey,
    directory: string,
    spec: ShimSpec,
    notices: readonly Notice[],
  ): Promise<Container> {
    let started: Awaited<ReturnType<typeof startShim>>
    try {
      started = await startShim(directory)
    } catch (cause) {
      throw new ContainerRefused(
        'CreateContainerError',
        cause instanceof Error ? cause.message : String(cause),
        {
          cause,
        },
      )
    }
    if ('failed' in started.announcement) {
      const exit = await readExit(directory, undefined, async () => false)
      return endedContainer(key, { ...exit, message: started.announcement.failed.message ?? '' }, notices)
    }
    const container = new ProcessContainer({
      key,
      directory,
      spec,
      state: started.announcement.started,
      notices,
      process: started.process,
      wasOutOfMemory: () => this.#groups.wasOutOfMemory(groupName(key)),
    })
    this.#containers.set(container.id, container)
    return container
  }

  async adopt(): Promise<readonly Container[]> {
    const adopted: Container[] = []
    for (const key of await allRuns(this.#options.dataDirectory)) {
      const found = await this.#adoptOne(key)
      if (found !== undefined) adopted.push(found)
    }
    return adopted
  }

  async #adoptOne(key: ContainerKey): Promise<Container | undefined> {
    const known = this.#containers.get(containerId(key))
    if (known !== undefined) return known
    const directory = runDirectory(this.#options.dataDirectory, key)
    const wasOutOfMemory = (): Promise<boolean> => this.#groups.wasOutOfMemory(groupName(key))
    const state = await readShimFile<ShimState>(join(directory, 'state.json'))
    if (existsSync(join(directory, 'exit.json'))) {
      return endedContainer(key, await readExit(directory, state, wasOutOfMemory), [])
    }
    // Never got as far as running its command.
    if (state === undefined) return undefined
    const spec = await readShimFile<ShimSpec>(join(directory, 'spec.json'))
    // Removed while it was being looked at.
    if (spec === undefined) return undefined
    const container = new ProcessContainer({ key, directory, spec, state, notices: [], wasOutOfMemory })
    this.#containers.set(container.id, container)
    return container
  }

  logs(key: ContainerKey, options: LogOptions): AsyncIterable<Uint8Array> {
    const container = this.#containers.get(containerId(key))
    const ended = container === undefined || container.exit !== undefined ? undefined : container.exited
    return readLog({ path: logFile(this.#options.dataDirectory, key), ended }, options)
  }

  async exec(
    container: Container,
    options: { readonly command: readonly string[]; readonly tty: boolean },
    io: StreamIo,
  ): Promise<ExitStatus> {
    return execInContainer(this.#running(container), options, io)
  }

  async attach(container: Container, io: StreamIo): Promise<ExitStatus> {
    return attachToContainer(this.#running(container), io)
  }

  async resize({ key }: Container, limits: ContainerLimits): Promise<string | undefined> {
    return this.#groups.change(groupName(key), limits)
  }

  async usage(container: Container): Promise<UsageReading | undefined> {
    const own = this.#containers.get(container.id)
    if (own === undefined || own.exit !== undefined) return undefined
    const counted = await this.#groups.usage(groupName(own.key))
    const used = counted ?? (await this.#processes.usedBelow(own.state.shim))
    return used && { at: Date.now(), ...used }
  }

  async listenerOf(podUid: string, port: number): Promise<string | undefined> {
    const running = [...this.#containers.values()].filter(
      ({ key, exit }) => key.podUid === podUid && exit === undefined,
    )
    return findListener(
      port,
      running.map((container) => container.state.first),
    )
  }

  async forget(key: ContainerKey): Promise<void> {
    this.#containers.delete(containerId(key))
    await this.#groups.remove(groupName(key))
    await removeRun(this.#options.dataDirectory, key)
  }

  async remove(podUid: string): Promise<void> {
    const { dataDirectory } = this.#options
    for (const key of await runsOf(dataDirectory, podUid)) await this.forget(key)
    await removePod(dataDirectory, podUid)
  }

  close(): void {
    for (const container of this.#containers.values()) container.release()
  }

  #running(container: Container): ProcessContainer {
    const own = this.#containers.get(container.id)
    if (own === undefined || own.exit !== undefined) throw new Error(`container ${container.id} does not run`)
    return own
  }

  // The agent decides about identities; this is the last gate before a process exists.
  #checkIdentity({ identity, key }: ContainerSpec): void {
    if (this.#options.allowRoot === true) return
    if (identity.uid === 0 || identity.gid === 0 || identity.groups.includes(0)) {
      throw new ContainerRefused(
        'CreateContainerConfigError',
        `container "${key.container}" asks for user or group 0, which would be root on this machine; set another runAsUser and runAsGroup, or allowRoot in the cluster file`,
      )
    }
  }
}

/** One flat level: a uid is unique, and a flat name needs no group of its own to be cleaned up. */
function groupName(key: ContainerKey): string {
  return `${key.podUid}.${key.container}.${key.attempt}`
}
