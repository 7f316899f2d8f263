import type { PersistentVolume, PersistentVolumeClaim, Persisted } from '../../kube/index.ts'
import { annotations, labels } from '../objects/ownership.ts'
import type { DraftVolume, OrgDraft } from './draft.ts'

/** Makes volumes of claims: claims with the same storage behind them are one volume that groups share. */
export function addClaims(
  draft: OrgDraft,
  claims: readonly Persisted<PersistentVolumeClaim>[],
  volumes: readonly Persisted<PersistentVolume>[],
): void {
  const byName = new Map(volumes.map((volume) => [volume.metadata.name, volume]))
  const shared = new Map<
    string,
    { claim: Persisted<PersistentVolumeClaim>; source: object; size: string; gid?: number }[]
  >()
  for (const claim of claims) {
    if (!draft.groups.has(claim.metadata.namespace ?? '')) continue
    const volume = byName.get(claim.spec?.volumeName ?? '')
    const source = sourceOf(claim, volume)
    const size = volume?.spec?.capacity?.['storage'] ?? claim.spec?.resources?.requests?.['storage']
    if (source === undefined || size === undefined) {
      draft.notes.push(
        `claim ${claim.metadata.namespace}/${claim.metadata.name} was left out: its storage is of an unknown kind`,
      )
      continue
    }
    // A class makes a volume for each claim: never shared.
    const key = 'storageClass' in source ? claim.metadata.uid : JSON.stringify(source)
    const gid = Number(volume?.metadata.annotations?.[annotations.volumeGid] ?? Number.NaN)
    const entry = { claim, source, size, ...(Number.isSafeInteger(gid) && { gid }) }
    shared.set(key, [...(shared.get(key) ?? []), entry])
  }
  for (const entries of shared.values()) {
    const [first] = entries
    if (first === undefined) continue
    const { metadata } = first.claim
    const name =
      metadata.labels?.[labels.volume] ?? (entries.length > 1 ? commonName(entries) : metadata.name)
    const [description, owner] = [metadata.annotations?.['description'], metadata.annotations?.['owner']]
    const volume: DraftVolume = {
      size: first.size,
      access: {},
      source: first.source,
      ...(entries.length > 1 && first.gid !== undefined && { gid: first.gid }),
      ...(description !== undefined && { description }),
      ...(owner !== undefined && { owner }),
    }
    for (const { claim } of entries) volume.access[claim.metadata.namespace ?? ''] = accessOf(claim)
    draft.volumes.set(name, volume)
  }
}

function accessOf(claim: Persisted<PersistentVolumeClaim>): unknown {
  const modes = claim.spec?.accessModes ?? []
  const stated = claim.metadata.annotations?.[annotations.access]
  const isRead = stated === 'read' || (stated === undefined && modes.every((mode) => mode === 'ReadOnlyMany'))
  const access = isRead ? 'read' : 'write'
  const until = claim.metadata.annotations?.[annotations.until]
  return until === undefined ? access : { access, until }
}

function commonName(entries: readonly { claim: Persisted<PersistentVolumeClaim> }[]): string {
  const names = entries.map(({ claim }) => {
    const suffix = `-${claim.metadata.namespace}`
    return claim.metadata.name.endsWith(suffix)
      ? claim.metadata.name.slice(0, -suffix.length)
      : claim.metadata.name
  })
  return names[0] ?? ''
}

function sourceOf(
  claim: Persisted<PersistentVolumeClaim>,
  volume: Persisted<PersistentVolume> | undefined,
): object | undefined {
  const { nfs, csi, hostPath } = volume?.spec ?? {}
  const storageClass = claim.spec?.storageClassName
  if (storageClass !== undefined && storageClass !== '') return { storageClass }
  if (nfs) return { nfs: { server: nfs.server, path: nfs.path } }
  if (csi) {
    return {
      csi: {
        driver: csi.driver,
        volumeHandle: csi.volumeHandle,
        ...(csi.fsType !== undefined && { fsType: csi.fsType }),
        ...(csi.volumeAttributes !== undefined && { volumeAttributes: csi.volumeAttributes }),
      },
    }
  }
  if (hostPath) {
    const isMade = volume?.metadata.annotations?.[annotations.directoryMode] !== undefined
    return isMade ? { directory: hostPath.path } : { hostPath: hostPath.path }
  }
  return undefined
}
