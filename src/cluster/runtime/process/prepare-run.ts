import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { logFile, runDirectory } from '../pod-directory.ts'
import type { ContainerSpec } from '../runtime.ts'
import { baseEnvironment, unmountedEnvironment } from './base-environment.ts'
import { planContainerRoot, volumeLinks } from './container-root.ts'
import { gpuDevices } from './gpu-devices.ts'
import { layerDirectories, type MachineView } from './machine-root.ts'
import { makeScratch } from './scratch.ts'
import type { Isolation, ShimSpec } from './shim-spec.ts'

export interface RunPlace {
  readonly dataDirectory: string
  readonly isolation: Isolation
  readonly view: MachineView
  /** Identifiers by which CUDA knows the machine's GPUs, by index. */
  readonly gpuIdentifiers: readonly string[]
  readonly logMaxBytes: number
  readonly logMaxFiles: number
}

// The capabilities that container engines leave to user 0, without the one that makes device nodes.
const rootCapabilities = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31]

/** Makes the directory of a run and all files in it, and says what its supervisor is to do, except for the groups. */
export async function prepareRun(
  spec: ContainerSpec,
  command: readonly string[],
  place: RunPlace,
): Promise<Omit<ShimSpec, 'cgroups'>> {
  const { dataDirectory, isolation, view } = place
  const directory = runDirectory(dataDirectory, spec.key)
  // A run that was begun and never started, cut off by a crash, leaves a directory.
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const messageFile = join(directory, 'termination-log')
  const scratch = join(directory, 'scratch')
  const devices = gpuDevices(spec.gpus)
  const resolverFile = spec.resolver === undefined ? undefined : join(directory, 'resolv.conf')
  const root = planContainerRoot(spec, { isolation, view, scratch, messageFile, resolverFile, devices })
  await makeScratch(scratch, spec.identity, { isRoot: isolation === 'root', extra: root.scratch })
  for (const layer of layerDirectories(root.steps)) await mkdir(layer, { recursive: true })
  if (isolation === 'none') await linkVolumes(spec, scratch)
  await writeFile(messageFile, '')
  await chmod(messageFile, 0o666)
  if (resolverFile !== undefined) await writeFile(resolverFile, spec.resolver ?? '', { mode: 0o644 })
  return {
    isolation,
    hostname: spec.pod.hostname,
    steps: root.steps,
    readOnlyRoot: spec.readOnlyRoot,
    command,
    environment: {
      ...baseEnvironment(spec, place.gpuIdentifiers),
      ...(isolation === 'none' && unmountedEnvironment(scratch)),
      ...spec.environment,
    },
    workingDirectory: root.workingDirectory,
    uid: spec.identity.uid,
    gid: spec.identity.gid,
    groups: spec.identity.groups,
    capabilities: spec.identity.uid === 0 ? rootCapabilities : [],
    oomScore: 500,
    stdin: spec.stdin,
    tty: spec.tty,
    stopSignal: signalNumber(spec.stopSignal),
    gpus: spec.gpus,
    log: {
      path: logFile(dataDirectory, spec.key),
      maxBytes: place.logMaxBytes,
      maxFiles: place.logMaxFiles,
    },
  }
}

function signalNumber(name: string): number {
  const found = Object.entries(constants.signals).find(([known]) => known === name)
  return found?.[1] ?? constants.signals.SIGTERM
}

/** Without mounts, volumes and stand-in programs are reached by links below the scratch directory. */
async function linkVolumes(spec: ContainerSpec, scratch: string): Promise<void> {
  await mkdir(join(scratch, 'bin'))
  await symlink('/usr/bin/python3', join(scratch, 'bin', 'python'))
  for (const { path, source } of volumeLinks(spec)) {
    const link = join(scratch, 'root', path)
    await mkdir(dirname(link), { recursive: true })
    await symlink(source, link)
  }
}
