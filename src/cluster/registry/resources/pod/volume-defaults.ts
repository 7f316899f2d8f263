/**
 * What a volume source means when it leaves fields out. Pods' volumes and persistent volumes share the rules:
 * their sources have the same names.
 */
export function setVolumeDefaults(volume: object): void {
  const sources = volume as Record<string, unknown>
  for (const name in sourceDefaults) {
    const source = sources[name]
    if (typeof source !== 'object' || source === null) continue
    const fields = source as Record<string, unknown>
    const defaults = sourceDefaults[name] ?? {}
    for (const field in defaults) {
      // An empty text is Go's way of saying that nothing was said, except where it is a value of its own.
      if (fields[field] === undefined || (fields[field] === '' && defaults[field] !== '')) {
        fields[field] = defaults[field]
      }
    }
  }
}

const readableByAll = 0o644

const sourceDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  hostPath: { type: '' },
  secret: { defaultMode: readableByAll },
  configMap: { defaultMode: readableByAll },
  downwardAPI: { defaultMode: readableByAll },
  projected: { defaultMode: readableByAll },
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  azureDisk: { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
}
