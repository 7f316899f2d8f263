import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerSpec, Mount } from '../runtime.ts'
import { ContainerRefused } from '../runtime.ts'
import { type MachineView, machineRootSteps, scratchDirectories } from './machine-root.ts'
import type { Isolation, RootStep } from './shim-spec.ts'

export interface ContainerRoot {
  readonly steps: readonly RootStep[]
  readonly workingDirectory: string
  /** Directories to make below the scratch directory, beyond those of every run. */
  readonly scratch: readonly string[]
}

export interface ContainerRootOptions {
  readonly isolation: Isolation
  readonly view: MachineView
  readonly scratch: string
  /** File that takes the termination message. */
  readonly messageFile: string
  /** File that takes the place of the machine's `/etc/resolv.conf`. */
  readonly resolverFile: string | undefined
  readonly devices: readonly string[]
}

/** Plans what a container sees: the machine's software, its volumes, its own files, its working directory. */
export function planContainerRoot(spec: ContainerSpec, options: ContainerRootOptions): ContainerRoot {
  if (options.isolation === 'none') return planWithoutMounts(spec, options.scratch)
  const mounts = [...spec.mounts].sort((a, b) => (a.target < b.target ? -1 : 1))
  const targets = mounts.map((mount) => mount.target)
  for (const mount of mounts) checkTarget(mount.target)
  const work = planWorkingDirectory(spec.workingDirectory ?? '/root', targets, options)
  return {
    steps: [
      ...machineRootSteps({
        view: options.view,
        identity: spec.identity,
        isolation: options.isolation,
        scratch: options.scratch,
        targets,
        devices: options.devices,
      }),
      ...(work.isScratch
        ? [
            {
              kind: 'bind',
              source: join(options.scratch, 'work'),
              target: work.path,
              readOnly: false,
            } satisfies RootStep,
          ]
        : []),
      ...mounts.map((mount) => volumeStep(mount)),
      ...fileSteps(spec, targets, options),
      ...(work.isMade ? [{ kind: 'directory', target: work.path } satisfies RootStep] : []),
    ],
    workingDirectory: work.path,
    scratch: work.isScratch ? ['work'] : [],
  }
}

function checkTarget(target: string): void {
  if (!target.startsWith('/') || target === '/' || target.split('/').includes('..')) {
    throw new ContainerRefused(
      'CreateContainerConfigError',
      `mount path "${target}" must be an absolute path below /`,
    )
  }
}

function volumeStep({ target, source, readOnly }: Mount): RootStep {
  if (source.kind === 'memory') {
    const size = source.sizeBytes === undefined ? '' : `,size=${source.sizeBytes}`
    return { kind: 'tmpfs', target, options: `mode=${(source.mode ?? 0o1777).toString(8)}${size}`, readOnly }
  }
  return {
    kind: 'bind',
    source: source.path,
    target,
    readOnly,
    ...(source.subPath !== undefined && { subPath: source.subPath }),
    ...(source.createSubPath !== undefined && { createSubPath: source.createSubPath }),
  }
}

function fileSteps(
  spec: ContainerSpec,
  targets: readonly string[],
  { messageFile, resolverFile }: Pick<ContainerRootOptions, 'messageFile' | 'resolverFile'>,
): RootStep[] {
  const steps: RootStep[] = []
  // A volume that the pod puts there itself comes first.
  if (spec.hostsFile !== undefined && !targets.includes('/etc/hosts')) {
    steps.push({ kind: 'bind', source: spec.hostsFile, target: '/etc/hosts', readOnly: true })
  }
  if (resolverFile !== undefined && !targets.includes('/etc/resolv.conf')) {
    steps.push({ kind: 'bind', source: resolverFile, target: '/etc/resolv.conf', readOnly: true })
  }
  if (!targets.includes('/etc/hostname')) {
    steps.push({ kind: 'file', target: '/etc/hostname', content: `${spec.pod.hostname}\n`, mode: 0o644 })
  }
  checkTarget(spec.terminationMessagePath)
  steps.push({ kind: 'bind', source: messageFile, target: spec.terminationMessagePath, readOnly: false })
  return steps
}

interface WorkingDirectory {
  readonly path: string
  /** Made, when missing, in what is there. */
  readonly isMade: boolean
  /** A fresh directory of the user is put there. */
  readonly isScratch: boolean
}

function planWorkingDirectory(
  path: string,
  targets: readonly string[],
  options: ContainerRootOptions,
): WorkingDirectory {
  if (path === '/') return { path, isMade: false, isScratch: false }
  checkTarget(path)
  const isBelow = (parent: string): boolean => path === parent || path.startsWith(`${parent}/`)
  const writable = [...targets, '/dev/shm', ...scratchDirectories.map(({ target }) => target)]
  if (writable.some(isBelow)) return { path, isMade: true, isScratch: false }
  const isSoftware = [...options.view.software, '/opt', '/etc', '/proc', '/sys', '/dev'].some(isBelow)
  if (isSoftware && existsSync(path)) return { path, isMade: false, isScratch: false }
  return { path, isMade: false, isScratch: !isSoftware }
}

/**
 * Without mounts a volume can only be where links can put it: below the working directory. Anything else is refused
 * rather than silently missing.
 */
function planWithoutMounts(spec: ContainerSpec, scratch: string): ContainerRoot {
  const asked = spec.workingDirectory ?? '/root'
  const home = join(scratch, 'root')
  for (const { target, readOnly } of spec.mounts) {
    if (target === '/dev/shm' || target.startsWith('/var/run/secrets/')) continue
    if (!target.startsWith(`${asked}/`) || readOnly) {
      throw new ContainerRefused(
        'CreateContainerError',
        `volume at ${target} cannot be mounted: this machine allows neither root nor user namespaces, so volumes can only be writable and below the working directory ${asked}`,
      )
    }
  }
  return { steps: [], workingDirectory: home, scratch: [] }
}

/** Links that stand in for mounts where there are none: path below the scratch home -> source. */
export function volumeLinks(spec: ContainerSpec): { path: string; source: string }[] {
  const asked = spec.workingDirectory ?? '/root'
  return spec.mounts.flatMap(({ target, source }) =>
    source.kind === 'path' && source.subPath === undefined && target.startsWith(`${asked}/`)
      ? [{ path: target.slice(asked.length + 1), source: source.path }]
      : [],
  )
}
