import type { CSIPersistentVolumeSource, CSIVolumeSource } from 'kubernetes-types/core/v1.js'
import { type Fault, invalidValue, required, tooLong } from '../../faults.ts'
import { checked } from '../checks.ts'
import { byteLength, dnsLabel, dnsSubdomain } from '../names.ts'
import { needs, rule } from './rule.ts'

/** The name by which a CSI driver is known. */
export function csiDriverName(path: string, name: string | undefined): Fault[] {
  const faults = name ? [] : [required(path)]
  if (byteLength(name ?? '') > 63) faults.push(tooLong(path, 63))
  for (const text of dnsSubdomain((name ?? '').toLowerCase())) {
    faults.push(invalidValue(path, name ?? '', text))
  }
  return faults
}

export const csi = rule<CSIVolumeSource>((source, path) => {
  const faults = csiDriverName(`${path}.driver`, source.driver)
  const { nodePublishSecretRef } = source
  if (nodePublishSecretRef) {
    faults.push(...needs('name')(nodePublishSecretRef, `${path}.nodePublishSecretRef`))
  }
  return faults
})

export const persistentCsi = rule<CSIPersistentVolumeSource>((source, path) => {
  const faults = [...csiDriverName(`${path}.driver`, source.driver), ...needs('volumeHandle')(source, path)]
  for (const field of [
    'controllerPublishSecretRef',
    'controllerExpandSecretRef',
    'nodePublishSecretRef',
    'nodeExpandSecretRef',
  ] as const) {
    const reference = source[field]
    if (!reference) continue
    const at = `${path}.${field}`
    faults.push(...needs('name', 'namespace')(reference, at))
    if (reference.name) faults.push(...checked(`${at}.name`, reference.name, dnsSubdomain))
    if (reference.namespace) faults.push(...checked(`${at}.namespace`, reference.namespace, dnsLabel))
  }
  return faults
})

/** Sources that name a disk of some vendor and need nothing but the name. */
export const vendors = {
  gcePersistentDisk: needs('pdName'),
  awsElasticBlockStore: needs('volumeID'),
  glusterfs: needs('endpoints', 'path'),
  flocker: rule<{ datasetName?: string; datasetUUID?: string }>((source, path) =>
    source.datasetName || source.datasetUUID
      ? []
      : [required(path, 'one of datasetName and datasetUUID is required')],
  ),
  rbd: needs('monitors', 'image'),
  cinder: needs('volumeID'),
  cephfs: needs('monitors'),
  quobyte: needs('registry', 'volume'),
  flexVolume: needs('driver'),
  azureFile: needs('secretName', 'shareName'),
  vsphereVolume: needs('volumePath'),
  photonPersistentDisk: needs('pdID'),
  portworxVolume: needs('volumeID'),
  azureDisk: needs('diskName', 'diskURI'),
  storageos: needs('volumeName'),
  scaleIO: needs('gateway', 'system', 'volumeName'),
}
