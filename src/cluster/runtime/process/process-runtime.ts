import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { hasCode } from '../../../files.ts'
import { containerDirectory, logFile, podDirectory, podsDirectory, runDirectory } from '../pod-directory.ts'
import {
  type Container,
  type ContainerExit,
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
import { planContainerRoot, volumeLinks } from './container-root.ts'
import { execInContainer } from './exec.ts'
import { standInCommand } from './git-sync.ts'
import { type FoundIsolation, findIsolation } from './isolation.ts'
import { readLog } from './log-reader.ts'
import {
  defaultPath,
  defaultSoftware,
  layerDirectories,
  type MachineView,
  shimPrograms,
} from './machine-root.ts'
import { containerId, ProcessContainer, readExit } from './process-container.ts'
import { ProcessTable } from './process-table.ts'
import { makeScratch } from './scratch.ts'
import { readShimFile, startShim } from './shim.ts'
import type { Isolation, ShimSpec, ShimState } from './shim-spec.ts'
import { findListener } from './sockets.ts'

export interface ProcessRuntimeOptions {
  readonly dataDirectory: string
  /** Lets pods run as user 0 of this machine, with the rights a container engine gives. Off: they are refused. */
  readonly allowRoot?: boolean
  /** Directories of software beyond the system's own, shown read-only in every container. */
  readonly softwareDirectories?: readonly string[]
  /** Identifiers by which CUDA knows the machine's GPUs, by index. Without, the index itself is used. */
  readonly gpuIdentifiers?: readonly string[]
  /** Processes and threads that one container may have. */
  readonly podPids?: number
  /** How containers are kept apart; found out by trying when left out. */
  readonly isolation?: Isolation
  readonly logMaxBytes?: number
  readonly logMaxFiles?: number
}

// The capabilities that container engines leave to user 0, without the one that makes device nodes.
const rootCapabilities = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31]

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
      software: [...defaultSoftware, ...(options.softwareDirectories ?? [])],
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
    const directory = runDirectory(this.#options.dataDirectory, spec.key)
    // A run that was begun and never started, cut off by a crash, leaves a directory.
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const messageFile = join(directory, 'termination-log')
    const scratch = join(directory, 'scratch')
    const root = planContainerRoot(spec, {
      isolation,
      view: this.#view,
      scratch,
      messageFile,
      devices: gpuDevices(spec.gpus),
    })
    await makeScratch(scratch, spec.identity, { isRoot: isolation === 'root', extra: root.scratch })
    for (const layer of layerDirectories(root.steps)) await mkdir(layer, { recursive: true })
    if (isolation === 'none') await linkVolumes(spec, scratch)
    await writeFile(messageFile, '')
    await chmod(messageFile, 0o666)
    const group = await this.#groups.create(groupName(spec.key), spec.limits)
    const shimSpec: ShimSpec = {
      isolation,
      hostname: spec.pod.hostname,
      steps: root.steps,
      readOnlyRoot: spec.readOnlyRoot,
      command,
      environment: {
        ...this.#baseEnvironment(spec),
        ...(isolation === 'none' && unmountedEnvironment(scratch)),
        ...spec.environment,
      },
      workingDirectory: root.workingDirectory,
      uid: spec.identity.uid,
      gid: spec.identity.gid,
      groups: spec.identity.groups,
      capabilities: spec.identity.uid === 0 ? rootCapabilities : [],
      cgroups: group.procs,
      oomScore: 500,
      stdin: spec.stdin,
      tty: spec.tty,
      stopSignal: signalNumber(spec.stopSignal),
      gpus: spec.gpus,
      log: {
        path: logFile(this.#options.dataDirectory, spec.key),
        maxBytes: this.#options.logMaxBytes ?? 10 * 1024 * 1024,
        maxFiles: this.#options.logMaxFiles ?? 5,
      },
    }
    await writeFile(join(directory, 'spec.json'), JSON.stringify(shimSpec), { mode: 0o600 })
    return this.#launch(spec.key, directory, shimSpec, [
      ...notices,
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
    for (const podUid of await list(podsDirectory(this.#options.dataDirectory))) {
      for (const key of await this.#runsOf(podUid)) {
        const found = await this.#adoptOne(key)
        if (found !== undefined) adopted.push(found)
      }
    }
    return adopted
  }

  /** Every run of a pod that has left a directory. */
  async #runsOf(podUid: string): Promise<ContainerKey[]> {
    const { dataDirectory } = this.#options
    const keys: ContainerKey[] = []
    for (const container of await list(join(podDirectory(dataDirectory, podUid), 'containers'))) {
      const names = await list(containerDirectory(dataDirectory, podUid, container))
      for (const name of names) {
        if (/^\d+$/.test(name)) keys.push({ podUid, container, attempt: Number(name) })
      }
    }
    return keys
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
    const path = logFile(this.#options.dataDirectory, key)
    await rm(runDirectory(this.#options.dataDirectory, key), { recursive: true, force: true })
    const prefix = `${key.attempt}.log`
    for (const name of await list(dirname(path))) {
      if (name === prefix || name.startsWith(`${prefix}.`))
        await rm(join(dirname(path), name), { force: true })
    }
  }

  async remove(podUid: string): Promise<void> {
    for (const key of await this.#runsOf(podUid)) await this.forget(key)
    await rm(podDirectory(this.#options.dataDirectory, podUid), {
      recursive: true,
      force: true,
      maxRetries: 3,
    })
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

  #baseEnvironment(spec: ContainerSpec): Record<string, string> {
    const identifiers = spec.gpus.map((index) => this.#options.gpuIdentifiers?.[index] ?? String(index))
    return {
      PATH: defaultPath,
      HOME: '/root',
      HOSTNAME: spec.pod.hostname,
      ...(spec.tty && { TERM: 'xterm' }),
      // Empty hides every device from CUDA; `void` is the word of the container toolkit for the same.
      CUDA_VISIBLE_DEVICES: identifiers.join(','),
      NVIDIA_VISIBLE_DEVICES: identifiers.length === 0 ? 'void' : identifiers.join(','),
    }
  }
}

function endedContainer(key: ContainerKey, exit: ContainerExit, notices: readonly Notice[]): Container {
  const exited = Promise.resolve(exit)
  return {
    key,
    id: containerId(key),
    startedAt: exit.startedAt,
    exited,
    exit,
    notices,
    gpus: [],
    stop: () => exited,
  }
}

/** One flat level: a uid is unique, and a flat name needs no group of its own to be cleaned up. */
function groupName(key: ContainerKey): string {
  return `${key.podUid}.${key.container}.${key.attempt}`
}

function gpuDevices(gpus: readonly number[]): string[] {
  if (gpus.length === 0) return []
  const caps = '/dev/nvidia-caps'
  return [
    '/dev/nvidiactl',
    '/dev/nvidia-uvm',
    '/dev/nvidia-uvm-tools',
    '/dev/nvidia-modeset',
    ...(existsSync(caps) ? readdirSync(caps).map((name) => join(caps, name)) : []),
    ...gpus.map((index) => `/dev/nvidia${index}`),
  ]
}

function signalNumber(name: string): number {
  const found = Object.entries(constants.signals).find(([known]) => known === name)
  return found?.[1] ?? constants.signals.SIGTERM
}

/** Without mounts, home and the stand-in programs are where they really lie. */
function unmountedEnvironment(scratch: string): Record<string, string> {
  return {
    HOME: join(scratch, 'root'),
    TMPDIR: join(scratch, 'tmp'),
    PATH: defaultPath.replace(shimPrograms, join(scratch, 'bin')),
  }
}

async function linkVolumes(spec: ContainerSpec, scratch: string): Promise<void> {
  await mkdir(join(scratch, 'bin'))
  await symlink('/usr/bin/python3', join(scratch, 'bin', 'python'))
  for (const { path, source } of volumeLinks(spec)) {
    const link = join(scratch, 'root', path)
    await mkdir(dirname(link), { recursive: true })
    await symlink(source, link)
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
