import { chmod, chown, mkdir } from 'node:fs/promises'
import {
  ephemeralClaimName,
  isClaimOfPod,
  isStatus,
  type KubeClient,
  kinds,
  parseQuantity,
  type Persisted,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  quantityToUnits,
  type Volume,
} from '../../../../kube/index.ts'
import { volumeDirectory } from '../../pod-directory.ts'
import type { Notice } from '../../runtime.ts'
import { type Ownership, writeAtomically } from './atomic-directory.ts'
import { type ContentContext, VolumeError, volumeFiles } from './contents.ts'
import { hostPathSource } from './host-path.ts'
import { admit, networkDirectory, type NetworkDirectoryOptions } from './network-directory.ts'

/** A volume ready to be mounted. */
export type PreparedVolume =
  | { readonly kind: 'path'; readonly path: string; readonly readOnly: boolean }
  | { readonly kind: 'memory'; readonly sizeBytes?: number }

export interface PreparedVolumes {
  readonly volumes: ReadonlyMap<string, PreparedVolume>
  /** Groups that come with persistent volumes. */
  readonly groups: readonly number[]
  readonly notices: readonly Notice[]
}

export interface VolumeContext extends ContentContext, NetworkDirectoryOptions {
  /** Owner of files that only the pod may read; absent when its containers have different users. */
  readonly owner: number | undefined
  /** Group of the pod's processes, to whom a fresh shared directory is given. */
  readonly group: number | undefined
}

// Storage classes of long standing mark volumes with the group that may use them.
const groupAnnotation = 'pv.beta.kubernetes.io/gid'
// Volumes of the organisation file whose directory is made here, for their group alone.
const directoryAnnotation = 'arena.dev/directory-mode'

/**
 * Makes all volumes of a pod. May be called again for a running pod, to bring what comes from API objects up to date.
 *
 * @throws {VolumeError} naming the first that cannot be made.
 */
export async function prepareVolumes(pod: Persisted<Pod>, context: VolumeContext): Promise<PreparedVolumes> {
  const volumes = new Map<string, PreparedVolume>()
  const groups: number[] = []
  const notices: Notice[] = []
  for (const volume of pod.spec?.volumes ?? []) {
    const prepare = async (): Promise<PreparedVolume> => {
      const claim = volume.persistentVolumeClaim
      const claimName =
        claim?.claimName ?? (volume.ephemeral && ephemeralClaimName(pod.metadata.name, volume))
      if (claimName === undefined) return prepareOwn(pod, volume, context, notices)
      const bound = await boundVolume(pod, claimName, { client: context.client, isOwn: claim === undefined })
      const gid = Number(bound.metadata.annotations?.[groupAnnotation] ?? Number.NaN)
      const hasGroup = Number.isSafeInteger(gid) && gid > 0
      if (hasGroup) groups.push(gid)
      const source = await persistentSource(bound, hasGroup ? gid : context.group, context, notices)
      return { ...source, readOnly: source.readOnly || claim?.readOnly === true || isReadOnlyVolume(bound) }
    }
    try {
      volumes.set(volume.name, await prepare())
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`, { cause })
    }
  }
  return { volumes, groups, notices }
}

/** Brings volumes made from API objects up to date in a running pod. */
export async function refreshVolumes(pod: Persisted<Pod>, context: VolumeContext): Promise<void> {
  for (const volume of pod.spec?.volumes ?? []) await writeContent(pod, volume, context)
}

async function writeContent(
  pod: Persisted<Pod>,
  volume: Volume,
  context: VolumeContext,
): Promise<string | undefined> {
  const files = await volumeFiles(volume, context)
  if (files === undefined) return undefined
  const path = volumeDirectory(context.dataDirectory, pod.metadata.uid, volume.name)
  await mkdir(path, { recursive: true })
  await writeAtomically(path, files, ownership(pod, context))
  return path
}

function ownership(pod: Persisted<Pod>, context: VolumeContext): Ownership {
  if (!context.isRoot) return {}
  const gid = pod.spec?.securityContext?.fsGroup
  return { ...(context.owner !== undefined && { uid: context.owner }), ...(gid !== undefined && { gid }) }
}

async function prepareOwn(
  pod: Persisted<Pod>,
  volume: Volume,
  context: VolumeContext,
  notices: Notice[],
): Promise<PreparedVolume> {
  if (volume.emptyDir !== undefined) return prepareEmpty(pod, volume, context, notices)
  if (volume.hostPath !== undefined) {
    const { path, type } = volume.hostPath
    return { kind: 'path', path: await hostPathSource(path, type, context.dataDirectory), readOnly: false }
  }
  if (volume.nfs !== undefined) {
    const { server, path, readOnly } = volume.nfs
    const directory = await networkDirectory(server, path, context.group, context)
    notices.push({ reason: 'NetworkVolumeIsLocal', message: directory.notice })
    return { kind: 'path', path: directory.path, readOnly: readOnly === true }
  }
  const path = await writeContent(pod, volume, context)
  if (path !== undefined) return { kind: 'path', path, readOnly: true }
  const kind = Object.keys(volume).find((field) => field !== 'name') ?? 'nothing'
  throw new VolumeError(`volumes of kind "${kind}" cannot be mounted by the embedded cluster`)
}

async function prepareEmpty(
  pod: Persisted<Pod>,
  volume: Volume,
  context: VolumeContext,
  notices: Notice[],
): Promise<PreparedVolume> {
  const { medium, sizeLimit } = volume.emptyDir ?? {}
  if (medium === 'Memory') {
    const users = containersWith(pod, volume.name)
    if (users <= 1) {
      const sizeBytes = sizeLimit === undefined ? undefined : quantityToUnits(parseQuantity(sizeLimit))
      return { kind: 'memory', ...(sizeBytes !== undefined && { sizeBytes }) }
    }
    // Memory of its own cannot be seen by two containers with separate mounts.
    notices.push({
      reason: 'MemoryVolumeOnDisk',
      message: `volume "${volume.name}" is shared by ${users} containers and is kept on disk instead of in memory`,
    })
  }
  const path = volumeDirectory(context.dataDirectory, pod.metadata.uid, volume.name)
  await mkdir(path, { recursive: true })
  const group = pod.spec?.securityContext?.fsGroup
  if (context.isRoot && group !== undefined) await chown(path, 0, group)
  await chmod(path, group === undefined ? 0o777 : 0o2777)
  return { kind: 'path', path, readOnly: false }
}

function containersWith(pod: Persisted<Pod>, volume: string): number {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  return all.filter(({ volumeMounts = [] }) => volumeMounts.some(({ name }) => name === volume)).length
}

async function boundVolume(
  pod: Persisted<Pod>,
  claimName: string,
  { client, isOwn }: { readonly client: KubeClient; readonly isOwn: boolean },
): Promise<Persisted<PersistentVolume>> {
  const namespace = pod.metadata.namespace ?? ''
  const claim: Persisted<PersistentVolumeClaim> = await client
    .get(kinds.persistentVolumeClaims, { namespace, name: claimName })
    .catch((error: unknown) => {
      if (isStatus(error, 'NotFound')) throw new VolumeError(`persistentvolumeclaim "${claimName}" not found`)
      throw error
    })
  if (isOwn && !isClaimOfPod(claim, pod)) {
    throw new VolumeError(
      `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`,
    )
  }
  const volumeName = claim.spec?.volumeName
  if (volumeName === undefined || volumeName === '' || claim.status?.phase !== 'Bound') {
    throw new VolumeError(`PVC ${namespace}/${claimName} is not bound`)
  }
  const volume = await client.get(kinds.persistentVolumes, { name: volumeName })
  const reference = volume.spec?.claimRef
  // Both sides must agree: a claim alone could name any volume.
  if (reference?.uid !== claim.metadata.uid) {
    throw new VolumeError(`persistent volume "${volumeName}" is not bound to PVC ${namespace}/${claimName}`)
  }
  return volume
}

async function persistentSource(
  volume: Persisted<PersistentVolume>,
  group: number | undefined,
  context: VolumeContext,
  notices: Notice[],
): Promise<{ kind: 'path'; path: string; readOnly: boolean }> {
  const { hostPath, local, nfs, csi } = volume.spec ?? {}
  if (hostPath !== undefined) {
    const path = await hostPathSource(hostPath.path, hostPath.type, undefined)
    if (volume.metadata.annotations?.[directoryAnnotation] !== undefined) {
      await admit(path, group, context.isRoot)
    }
    return { kind: 'path', path, readOnly: false }
  }
  if (local !== undefined) {
    return { kind: 'path', path: await hostPathSource(local.path, 'Directory', undefined), readOnly: false }
  }
  if (nfs !== undefined) {
    const directory = await networkDirectory(nfs.server, nfs.path, group, context)
    notices.push({ reason: 'NetworkVolumeIsLocal', message: directory.notice })
    return { kind: 'path', path: directory.path, readOnly: nfs.readOnly === true }
  }
  if (csi !== undefined) {
    throw new VolumeError(
      `persistent volume "${volume.metadata.name}" needs the CSI driver "${csi.driver}": the embedded cluster runs none`,
    )
  }
  throw new VolumeError(
    `persistent volume "${volume.metadata.name}" is of a kind the embedded cluster cannot mount`,
  )
}

function isReadOnlyVolume(volume: Persisted<PersistentVolume>): boolean {
  const modes = volume.spec?.accessModes ?? []
  return modes.length > 0 && modes.every((mode) => mode === 'ReadOnlyMany')
}
