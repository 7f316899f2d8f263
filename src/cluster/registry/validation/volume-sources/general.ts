import type {
  EphemeralVolumeSource,
  FCVolumeSource,
  HostPathVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
} from 'kubernetes-types/core/v1.js'
import { parseQuantity } from '../../../../kube/index.ts'
import { forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { requiredChoice } from '../checks.ts'
import { validateClaimSpec } from '../claims.ts'
import { validateAnnotations, validateLabels } from '../metadata.ts'
import { between } from '../names.ts'
import { localPath, noBacksteps } from '../paths.ts'
import { needs, rule } from './rule.ts'

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

export const hostPath = rule<HostPathVolumeSource>((source, path) => {
  if (!source.path) return [required(`${path}.path`)]
  const faults = noBacksteps(`${path}.path`, source.path)
  if (source.type !== undefined && !hostPathTypes.includes(source.type)) {
    faults.push(notSupported(`${path}.type`, source.type, hostPathTypes))
  }
  return faults
})

export const nfs = rule<NFSVolumeSource>((source, path) => {
  const faults = needs('server', 'path')(source, path)
  if (!source.path?.startsWith('/')) {
    faults.push(invalidValue(`${path}.path`, source.path ?? '', 'must be an absolute path'))
  }
  return faults
})

export const iscsi = rule<ISCSIVolumeSource>((source, path) => {
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

export const fc = rule<FCVolumeSource>((source, path) => {
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

export const local = rule<{ path?: string }>((source, path) =>
  source.path ? noBacksteps(`${path}.path`, source.path) : [required(`${path}.path`)],
)

export const emptyDir = rule<{ sizeLimit?: string }>((source, path) =>
  source.sizeLimit !== undefined && parseQuantity(source.sizeLimit).nanos < 0n
    ? [forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
    : [],
)

export const gitRepo = rule<{ repository?: string; directory?: string }>((source, path) => [
  ...needs('repository')(source, path),
  ...localPath(`${path}.directory`, source.directory ?? ''),
])

export const ephemeral = rule<EphemeralVolumeSource>((source, path) => {
  const template = source.volumeClaimTemplate
  if (!template) return [required(`${path}.volumeClaimTemplate`)]
  const at = `${path}.volumeClaimTemplate`
  return [
    ...validateAnnotations(template.metadata?.annotations ?? {}, `${at}.metadata.annotations`),
    ...validateLabels(template.metadata?.labels ?? {}, `${at}.metadata.labels`),
    ...validateClaimSpec(`${at}.spec`, template.spec ?? {}),
  ]
})

export const image = rule<{ pullPolicy?: string }>((source, path) => [
  ...requiredChoice(`${path}.pullPolicy`, source.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
])
