import type { Subject, Violation } from './subject.ts'
import { plural, quoted } from './wording.ts'

const restrictedVolumeTypes = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
] as const

export function hostPathVolumes({ spec }: Subject): Violation | undefined {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath).map((volume) => volume.name)
  return names.length === 0
    ? undefined
    : { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` }
}

export function restrictedVolumes({ spec }: Subject): Violation | undefined {
  const names: string[] = []
  const types = new Set<string>()
  for (const volume of spec.volumes ?? []) {
    const type = restrictedVolumeTypes.find((field) => (volume as unknown as Record<string, unknown>)[field])
    if (type === undefined) continue
    names.push(volume.name)
    types.add(type)
  }
  return names.length === 0
    ? undefined
    : {
        reason: 'restricted volume types',
        detail: `${plural('volume', names.length)} ${quoted(names)} ${names.length === 1 ? 'uses' : 'use'} ${plural('restricted volume type', types.size)} ${quoted([...types].sort())}`,
      }
}
