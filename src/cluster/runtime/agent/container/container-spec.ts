import { posix } from 'node:path'
import type { Container as ContainerManifest, Persisted, Pod } from '../../../../kube/index.ts'
import { dottedName, quantityToNumber, quantityToUnits } from '../../../../kube/index.ts'
import {
  type ContainerLimits,
  ContainerRefused,
  type ContainerSpec,
  type Identity,
  type Mount,
} from '../../runtime.ts'
import { expand } from './environment.ts'
import { systemNameOf } from './host-name.ts'
import type { PreparedVolume } from '../volumes/prepare.ts'

export interface ContainerParts {
  readonly attempt: number
  readonly identity: Identity
  readonly environment: Readonly<Record<string, string>>
  /** Left out when nothing will be mounted. */
  readonly volumes: ReadonlyMap<string, PreparedVolume> | undefined
  readonly hostsFile: string | undefined
  readonly resolver: string | undefined
  readonly podAddress: string
  readonly gpus: readonly number[]
}

/**
 * Puts together what a runtime needs to run one container.
 *
 * @throws {ContainerRefused} for a mount that cannot be.
 */
export function containerSpec(
  pod: Persisted<Pod>,
  manifest: ContainerManifest,
  parts: ContainerParts,
): ContainerSpec {
  const workingDirectory = manifest.workingDir === '' ? undefined : manifest.workingDir
  return {
    key: { podUid: pod.metadata.uid, container: manifest.name, attempt: parts.attempt },
    pod: {
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name,
      hostname: systemNameOf(pod),
      address: parts.podAddress,
      annotations: pod.metadata.annotations ?? {},
    },
    image: manifest.image ?? '',
    command: commandOf(manifest, parts.environment),
    workingDirectory,
    environment: parts.environment,
    identity: parts.identity,
    mounts: mountsOf(manifest, workingDirectory, parts),
    hostsFile: parts.hostsFile,
    ...(parts.resolver !== undefined && { resolver: parts.resolver }),
    sysctls: Object.fromEntries(
      (pod.spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [dottedName(name), value]),
    ),
    limits: limitsOf(manifest),
    gpus: parts.gpus,
    stdin: manifest.stdin === true,
    tty: manifest.tty === true,
    readOnlyRoot: manifest.securityContext?.readOnlyRootFilesystem === true,
    terminationMessagePath: manifest.terminationMessagePath ?? '/dev/termination-log',
    stopSignal: 'SIGTERM',
  }
}

/** GPUs that a container asks for. */
export function gpuCount(manifest: ContainerManifest): number {
  const amount =
    manifest.resources?.limits?.['nvidia.com/gpu'] ?? manifest.resources?.requests?.['nvidia.com/gpu']
  return amount === undefined ? 0 : quantityToUnits(amount)
}

function commandOf(manifest: ContainerManifest, environment: Readonly<Record<string, string>>): string[] {
  const { command = [], args = [] } = manifest
  // Most images (of distributions, languages, frameworks) have no entry point: arguments alone are then the command, as in
  // `kubectl run -it box --image=busybox -- sh`. Flags alone belong to an entry point, which is not here.
  if (command.length === 0 && args[0]?.startsWith('-') !== false) return []
  return [...command, ...args].map((word) => expand(word, environment))
}

function mountsOf(
  manifest: ContainerManifest,
  workingDirectory: string | undefined,
  parts: ContainerParts,
): Mount[] {
  const { volumes } = parts
  if (volumes === undefined) return []
  return (manifest.volumeMounts ?? []).map((mount): Mount => {
    const volume = volumes.get(mount.name)
    if (volume === undefined) throw refused(`volume "${mount.name}" is not one of the pod's`)
    // A relative path counts from the working directory, as container engines take it.
    const target = posix.resolve(workingDirectory ?? '/', mount.mountPath)
    if (target === '/') throw refused(`volume "${mount.name}" cannot be mounted at /`)
    if (volume.kind === 'memory') {
      const size = volume.sizeBytes === undefined ? {} : { sizeBytes: volume.sizeBytes }
      return { target, source: { kind: 'memory', ...size }, readOnly: mount.readOnly === true }
    }
    const subPath =
      mount.subPathExpr === undefined ? mount.subPath : expandAll(mount.subPathExpr, parts.environment)
    if (subPath !== undefined && (subPath.startsWith('/') || subPath.split('/').includes('..'))) {
      throw refused(`sub path "${subPath}" must be relative and without ".."`)
    }
    return {
      target,
      source: {
        kind: 'path',
        path: volume.path,
        ...(subPath !== undefined && subPath !== '' && { subPath, createSubPath: !volume.readOnly }),
      },
      readOnly: mount.readOnly === true || volume.readOnly,
    }
  })
}

function expandAll(text: string, environment: Readonly<Record<string, string>>): string {
  const unknown = [...text.matchAll(/\$\(([^)]*)\)/g)].find(
    ([, name = '']) => !Object.hasOwn(environment, name),
  )
  if (unknown !== undefined) throw refused(`missing value for "${unknown[1] ?? ''}"`)
  return expand(text, environment)
}

/** What the runtime holds a container to. */
export function limitsOf(manifest: Pick<ContainerManifest, 'resources'>): ContainerLimits {
  const { limits = {}, requests = {} } = manifest.resources ?? {}
  const memory = limits['memory']
  const cpu = limits['cpu']
  const cpuRequest = requests['cpu'] ?? cpu
  return {
    ...(memory !== undefined && { memoryBytes: quantityToNumber(memory) }),
    ...(cpu !== undefined && { cpu: quantityToNumber(cpu) }),
    ...(cpuRequest !== undefined && { cpuRequest: quantityToNumber(cpuRequest) }),
  }
}

function refused(message: string): ContainerRefused {
  return new ContainerRefused('CreateContainerConfigError', message)
}
