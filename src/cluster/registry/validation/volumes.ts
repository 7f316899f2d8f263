import type { Volume } from 'kubernetes-types/core/v1.js'
import { duplicate, type Fault, forbiddenField, invalidValue, required } from '../faults.ts'
import { checked } from './checks.ts'
import { dnsLabel, dnsSubdomain } from './names.ts'
import {
  emptyDir,
  ephemeral,
  fc,
  gitRepo,
  hostPath,
  image,
  iscsi,
  local,
  nfs,
} from './volume-sources/general.ts'
import { configMap, downwardAPI, projected, secret } from './volume-sources/projected.ts'
import { needs, type Rule } from './volume-sources/rule.ts'
import { csi, persistentCsi, vendors } from './volume-sources/vendors.ts'

/** What a pod may mount, in the order in which Kubernetes looks for a second source. */
const podSources: Readonly<Record<string, Rule>> = {
  emptyDir,
  hostPath,
  gitRepo,
  gcePersistentDisk: vendors.gcePersistentDisk,
  awsElasticBlockStore: vendors.awsElasticBlockStore,
  secret,
  nfs,
  iscsi,
  glusterfs: vendors.glusterfs,
  flocker: vendors.flocker,
  persistentVolumeClaim: needs('claimName'),
  rbd: vendors.rbd,
  cinder: vendors.cinder,
  cephfs: vendors.cephfs,
  quobyte: vendors.quobyte,
  downwardAPI,
  fc,
  flexVolume: vendors.flexVolume,
  configMap,
  azureFile: vendors.azureFile,
  vsphereVolume: vendors.vsphereVolume,
  photonPersistentDisk: vendors.photonPersistentDisk,
  portworxVolume: vendors.portworxVolume,
  azureDisk: vendors.azureDisk,
  storageos: vendors.storageos,
  projected,
  scaleIO: vendors.scaleIO,
  csi,
  ephemeral,
  image,
}

/** What a persistent volume may stand for, in the order in which Kubernetes looks for a second source. */
const persistentSources: Readonly<Record<string, Rule>> = {
  hostPath,
  gcePersistentDisk: vendors.gcePersistentDisk,
  awsElasticBlockStore: vendors.awsElasticBlockStore,
  glusterfs: vendors.glusterfs,
  flocker: vendors.flocker,
  nfs,
  rbd: vendors.rbd,
  quobyte: vendors.quobyte,
  cephfs: vendors.cephfs,
  iscsi,
  cinder: vendors.cinder,
  fc,
  flexVolume: vendors.flexVolume,
  azureFile: vendors.azureFile,
  vsphereVolume: vendors.vsphereVolume,
  photonPersistentDisk: vendors.photonPersistentDisk,
  portworxVolume: vendors.portworxVolume,
  azureDisk: vendors.azureDisk,
  scaleIO: vendors.scaleIO,
  local,
  storageos: vendors.storageos,
  csi: persistentCsi,
}

export const podSourceNames: readonly string[] = Object.keys(podSources)
export const persistentSourceNames: readonly string[] = Object.keys(persistentSources)

function oneSource(path: string, holder: object, rules: Readonly<Record<string, Rule>>): Fault[] {
  const faults: Fault[] = []
  let isFound = false
  for (const name in rules) {
    const source = (holder as Record<string, unknown>)[name]
    if (typeof source !== 'object' || source === null) continue
    if (isFound) {
      faults.push(forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type'))
      continue
    }
    isFound = true
    faults.push(...(rules[name]?.(source, `${path}.${name}`) ?? []))
  }
  if (!isFound) faults.push(required(path, 'must specify a volume type'))
  return faults
}

/** The one source of a persistent volume. */
export const validatePersistentSource = (path: string, spec: object): Fault[] =>
  oneSource(path, spec, persistentSources)

interface Owner {
  readonly of: 'pod' | 'template'
  readonly podName?: string | undefined
}

/** Volumes of a pod; `valid` is what containers may mount. */
export function validateVolumes(
  path: string,
  volumes: readonly Volume[],
  { of, podName }: Owner,
): { faults: Fault[]; valid: Map<string, Volume> } {
  const faults: Fault[] = []
  const valid = new Map<string, Volume>()
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`
    const own = oneSource(at, volume, podSources)
    if (volume.name) own.push(...checked(`${at}.name`, volume.name, dnsLabel))
    else own.push(required(`${at}.name`))
    if (valid.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name))
    if (volume.ephemeral && podName) own.push(...claimNameFaults(`${at}.name`, volume.name, podName))
    if (of === 'pod' && isImageWithout(volume)) own.push(required(`${at}.image.reference`))
    if (own.length === 0) valid.set(volume.name, volume)
    else faults.push(...own)
  }
  if (podName) faults.push(...claimConflicts(path, volumes, podName))
  return { faults, valid }
}

/** Templates may leave the image of a volume to whoever makes pods of them. */
function isImageWithout(volume: Volume & { image?: { reference?: string } }): boolean {
  return volume.image !== undefined && !volume.image.reference
}

const madeFor = (podName: string, volume: string): string => `${podName}-${volume}`

function claimNameFaults(path: string, volume: string, podName: string): Fault[] {
  const name = madeFor(podName, volume)
  return dnsSubdomain(name).map((text) =>
    invalidValue(path, volume, `PVC name ${JSON.stringify(name)}: ${text}`),
  )
}

/** A claim that is made for the pod cannot be one that it names. */
function claimConflicts(path: string, volumes: readonly Volume[], podName: string): Fault[] {
  const made = new Set(
    volumes.filter((volume) => volume.ephemeral).map((volume) => madeFor(podName, volume.name)),
  )
  return volumes.flatMap(({ persistentVolumeClaim }, index) => {
    const name = persistentVolumeClaim?.claimName ?? ''
    return made.has(name)
      ? [
          invalidValue(
            `${path}[${index}].persistentVolumeClaim.claimName`,
            name,
            'must not reference a PVC that gets created for an ephemeral volume',
          ),
        ]
      : []
  })
}
