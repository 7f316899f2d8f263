import type {
  ConfigMapVolumeSource,
  CSIPersistentVolumeSource,
  CSIVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  EphemeralVolumeSource,
  FCVolumeSource,
  HostPathVolumeSource,
  ISCSIVolumeSource,
  KeyToPath,
  NFSVolumeSource,
  ProjectedVolumeSource,
  SecretVolumeSource,
  Volume,
} from 'kubernetes-types/core/v1.js'
import { parseQuantity } from '../../../kube/index.ts'
import {
  duplicate,
  type Fault,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../faults.ts'
import { checked, requiredChoice } from './checks.ts'
import { validateClaimSpec } from './claims.ts'
import { validateFieldRef, validateResourceFieldRef, volumeFields } from './downward.ts'
import { validateAnnotations, validateLabels } from './metadata.ts'
import { between, byteLength, dnsLabel, dnsSubdomain } from './names.ts'
import { localPath, noBacksteps, unreservedPath } from './paths.ts'

type Rule = (source: object, path: string) => Fault[]

/** A rule for sources whose shape the schema has checked. */
const rule =
  <T>(check: (source: T, path: string) => Fault[]): Rule =>
  (source, path) =>
    check(source as T, path)

/** A rule for sources that only need some fields to be there. */
const needs =
  (...fields: string[]): Rule =>
  (source, path) =>
    fields
      .filter((field) => isEmpty((source as Record<string, unknown>)[field]))
      .map((field) => required(`${path}.${field}`))

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive'

function fileMode(path: string, mode: number | undefined): Fault[] {
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [invalidValue(path, mode, modeText)] : []
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

const hostPath = rule<HostPathVolumeSource>((source, path) => {
  if (!source.path) return [required(`${path}.path`)]
  const faults = noBacksteps(`${path}.path`, source.path)
  if (source.type !== undefined && !hostPathTypes.includes(source.type)) {
    faults.push(notSupported(`${path}.type`, source.type, hostPathTypes))
  }
  return faults
})

const nfs = rule<NFSVolumeSource>((source, path) => {
  const faults = needs('server', 'path')(source, path)
  if (!source.path?.startsWith('/')) {
    faults.push(invalidValue(`${path}.path`, source.path ?? '', 'must be an absolute path'))
  }
  return faults
})

const iscsi = rule<ISCSIVolumeSource>((source, path) => {
  const faults = needs('targetPortal', 'iqn')(source, path)
  if (source.iqn && !/^(iqn|eui|naa)/.test(source.iqn)) {
    faults.push(
      invalidValue(`${path}.iqn`, source.iqn, 'must be valid format starting with iqn, eui, or naa'),
    )
  }
  if (source.lun < 0 || source.lun > 255) {
    faults.push(invalidValue(`${path}.lun`, source.lun, between(0, 255)))
  }
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) {
    faults.push(required(`${path}.secretRef`))
  }
  return faults
})

const fc = rule<FCVolumeSource>((source, path) => {
  const [names, ids] = [source.targetWWNs ?? [], source.wwids ?? []]
  if (names.length === 0 && ids.length === 0) {
    return [required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both')]
  }
  if (names.length > 0 && ids.length > 0) {
    return [
      invalidValue(`${path}.targetWWNs`, names, 'targetWWNs and wwids can not be specified simultaneously'),
    ]
  }
  if (names.length === 0) return []
  if (source.lun === undefined) {
    return [required(`${path}.lun`, 'lun is required if targetWWNs is specified')]
  }
  return source.lun < 0 || source.lun > 255 ? [invalidValue(`${path}.lun`, source.lun, between(0, 255))] : []
})

function keysToPaths(path: string, items: readonly KeyToPath[] | undefined): Fault[] {
  return (items ?? []).flatMap((item, index) => {
    const at = `${path}.items[${index}]`
    return [
      ...needs('key', 'path')(item, at),
      ...unreservedPath(`${at}.path`, item.path),
      ...fileMode(`${at}.mode`, item.mode),
    ]
  })
}

const secret = rule<SecretVolumeSource>((source, path) => [
  ...needs('secretName')(source, path),
  ...fileMode(`${path}.defaultMode`, source.defaultMode),
  ...keysToPaths(path, source.items),
])

const configMap = rule<ConfigMapVolumeSource>((source, path) => [
  ...needs('name')(source, path),
  ...fileMode(`${path}.defaultMode`, source.defaultMode),
  ...keysToPaths(path, source.items),
])

function downwardFile(path: string, file: DownwardAPIVolumeFile): Fault[] {
  const faults = [...needs('path')(file, path), ...unreservedPath(`${path}.path`, file.path)]
  if (file.fieldRef) {
    faults.push(...validateFieldRef(`${path}.fieldRef`, file.fieldRef, volumeFields))
    if (file.resourceFieldRef) {
      faults.push(
        invalidValue(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'),
      )
    }
  } else if (file.resourceFieldRef) {
    const at = `${path}.resourceFieldRef`
    faults.push(...validateResourceFieldRef(at, file.resourceFieldRef, { needsContainer: true }))
  } else {
    faults.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  }
  return [...faults, ...fileMode(`${path}.mode`, file.mode)]
}

const downwardAPI = rule<DownwardAPIVolumeSource>((source, path) => [
  ...fileMode(`${path}.defaultMode`, source.defaultMode),
  ...(source.items ?? []).flatMap((file) => downwardFile(path, file)),
])

const projected = rule<ProjectedVolumeSource>((source, path) => {
  const faults = fileMode(`${path}.defaultMode`, source.defaultMode)
  const paths = new Set<string>()
  const claim = (name: string | undefined, shown: string | undefined): void => {
    if (!name) return
    if (paths.has(name)) faults.push(invalidValue(path, shown ?? '', 'conflicting duplicate paths'))
    paths.add(name)
  }
  for (const [index, part] of (source.sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`
    for (const kind of ['secret', 'configMap'] as const) {
      const one = part[kind]
      if (!one) continue
      faults.push(...needs('name')(one, `${at}.${kind}`), ...keysToPaths(`${at}.${kind}`, one.items))
      for (const item of one.items ?? []) claim(item.path, one.name)
    }
    for (const file of part.downwardAPI?.items ?? []) {
      faults.push(...downwardFile(`${at}.downwardAPI`, file))
      claim(file.path, file.path)
    }
    if (part.serviceAccountToken) {
      const { expirationSeconds = 3600, path: file } = part.serviceAccountToken
      const expiry = `${at}.serviceAccountToken.expirationSeconds`
      if (expirationSeconds < 600) {
        faults.push(
          invalidValue(expiry, expirationSeconds, 'may not specify a duration less than 10 minutes'),
        )
      }
      if (expirationSeconds > 2 ** 32) {
        faults.push(
          invalidValue(expiry, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'),
        )
      }
      if (file) faults.push(...unreservedPath(`${path}.path`, file))
      else faults.push(required(`${path}.path`))
    }
    const kinds = ['secret', 'configMap', 'downwardAPI', 'serviceAccountToken', 'clusterTrustBundle']
    if (kinds.filter((kind) => kind in part).length > 1) {
      faults.push(forbiddenField(at, 'may not specify more than 1 volume type per source'))
    }
  }
  return faults
})

function driverName(path: string, name: string | undefined): Fault[] {
  const faults = name ? [] : [required(path)]
  if (byteLength(name ?? '') > 63) faults.push(tooLong(path, 63))
  for (const text of dnsSubdomain((name ?? '').toLowerCase())) {
    faults.push(invalidValue(path, name ?? '', text))
  }
  return faults
}

const csi = rule<CSIVolumeSource>((source, path) => {
  const faults = driverName(`${path}.driver`, source.driver)
  const { nodePublishSecretRef } = source
  if (nodePublishSecretRef) {
    faults.push(...needs('name')(nodePublishSecretRef, `${path}.nodePublishSecretRef`))
  }
  return faults
})

const persistentCsi = rule<CSIPersistentVolumeSource>((source, path) => {
  const faults = [...driverName(`${path}.driver`, source.driver), ...needs('volumeHandle')(source, path)]
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

const local = rule<{ path?: string }>((source, path) =>
  source.path ? noBacksteps(`${path}.path`, source.path) : [required(`${path}.path`)],
)

const emptyDir = rule<{ sizeLimit?: string }>((source, path) =>
  source.sizeLimit !== undefined && parseQuantity(source.sizeLimit).nanos < 0n
    ? [forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
    : [],
)

const gitRepo = rule<{ repository?: string; directory?: string }>((source, path) => [
  ...needs('repository')(source, path),
  ...localPath(`${path}.directory`, source.directory ?? ''),
])

const ephemeral = rule<EphemeralVolumeSource>((source, path) => {
  const template = source.volumeClaimTemplate
  if (!template) return [required(`${path}.volumeClaimTemplate`)]
  const at = `${path}.volumeClaimTemplate`
  return [
    ...validateAnnotations(template.metadata?.annotations ?? {}, `${at}.metadata.annotations`),
    ...validateLabels(template.metadata?.labels ?? {}, `${at}.metadata.labels`),
    ...validateClaimSpec(`${at}.spec`, template.spec ?? {}),
  ]
})

const image = rule<{ reference?: string; pullPolicy?: string }>((source, path) => [
  ...needs('reference')(source, path),
  ...requiredChoice(`${path}.pullPolicy`, source.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
])

/** Sources that name a disk of some vendor and need nothing but the name. */
const vendors = {
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

/** Volumes of a pod; `valid` is what containers may mount. */
export function validateVolumes(
  path: string,
  volumes: readonly Volume[],
): { faults: Fault[]; valid: Map<string, Volume> } {
  const faults: Fault[] = []
  const valid = new Map<string, Volume>()
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`
    const own = oneSource(at, volume, podSources)
    if (volume.name) own.push(...checked(`${at}.name`, volume.name, dnsLabel))
    else own.push(required(`${at}.name`))
    if (valid.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name))
    if (own.length === 0) valid.set(volume.name, volume)
    else faults.push(...own)
  }
  return { faults, valid }
}
