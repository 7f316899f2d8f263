import type { PersistentVolume } from '../../kube/index.ts'
import { claimName, type Grant, type Org, type Source, type Volume } from '../org.ts'
import { annotations, ownerLabels } from './ownership.ts'

/**
 * The volume behind one group's claim. Groups that share data get twins with the same source, as a volume serves one
 * claim. None for a storage class, which makes volumes itself.
 */
export function persistentVolumeOf(org: Org, volume: Volume, grant: Grant): PersistentVolume | undefined {
  const source = sourceOf(volume.source, { readOnly: grant.access === 'read' })
  if (source === undefined) return undefined
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: claimName(volume, grant.group),
      labels: ownerLabels(org, { group: grant.group, volume: volume.name }),
      annotations: {
        [annotations.access]: grant.access,
        [annotations.volumeGid]: String(volume.gid),
        ...(volume.source.kind === 'directory' && { [annotations.directoryMode]: '2770' }),
      },
    },
    spec: {
      capacity: { storage: volume.size },
      accessModes: accessModes(grant),
      // Data outlives claims: deleting it is a decision of people.
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: '',
      // Reserved, or else a claim of any other namespace could bind it first.
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: grant.group,
        name: claimName(volume, grant.group),
      },
      ...source,
    },
  }
}

export function accessModes(grant: Grant): string[] {
  return [grant.access === 'read' ? 'ReadOnlyMany' : 'ReadWriteMany']
}

type SourceFields = Pick<NonNullable<PersistentVolume['spec']>, 'nfs' | 'csi' | 'hostPath'>

function sourceOf(source: Source, options: { readOnly: boolean }): SourceFields | undefined {
  const readOnly = options.readOnly && { readOnly: true }
  switch (source.kind) {
    case 'nfs':
      return { nfs: { server: source.server, path: source.path, ...readOnly } }
    case 'csi':
      return {
        csi: {
          driver: source.driver,
          volumeHandle: source.volumeHandle,
          ...(source.fsType !== undefined && { fsType: source.fsType }),
          ...(source.volumeAttributes !== undefined && { volumeAttributes: { ...source.volumeAttributes } }),
          ...readOnly,
        },
      }
    case 'hostPath':
      return { hostPath: { path: source.path, type: 'Directory' } }
    case 'directory':
      return { hostPath: { path: source.path, type: 'DirectoryOrCreate' } }
    case 'storageClass':
      return undefined
  }
}
