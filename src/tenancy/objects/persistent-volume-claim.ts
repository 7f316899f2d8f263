import type { PersistentVolumeClaim } from '../../kube/index.ts'
import { claimName, type Grant, type Org, type Volume } from '../org.ts'
import { annotations, ownerLabels } from './ownership.ts'
import { accessModes } from './persistent-volume.ts'

/** The claim through which one group's jobs mount a volume. */
export function persistentVolumeClaimOf(org: Org, volume: Volume, grant: Grant): PersistentVolumeClaim {
  const name = claimName(volume, grant.group)
  const owner = volume.owner ?? (volume.grants.length > 1 ? org.name : grant.group)
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace: grant.group,
      labels: ownerLabels(org, { group: grant.group, volume: volume.name }),
      annotations: {
        [annotations.description]: volume.description ?? describe(volume),
        [annotations.owner]: owner,
        [annotations.access]: grant.access,
        ...(grant.until !== undefined && { [annotations.until]: grant.until }),
      },
    },
    spec: {
      accessModes: accessModes(grant),
      resources: { requests: { storage: volume.size } },
      ...(volume.source.kind === 'storageClass'
        ? { storageClassName: volume.source.name }
        : { storageClassName: '', volumeName: name }),
    },
  }
}

function describe(volume: Volume): string {
  const groups = volume.grants.map((grant) => grant.group)
  const last = groups.at(-1) ?? ''
  return groups.length === 1
    ? `data of ${last}`
    : `data shared by ${groups.slice(0, -1).join(', ')} and ${last}`
}
