import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  KeyToPath,
  ProjectedVolumeSource,
  SecretVolumeSource,
} from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, required } from '../../faults.ts'
import { validateFieldRef, validateResourceFieldRef, volumeFields } from '../downward.ts'
import { unreservedPath } from '../paths.ts'
import { needs, rule } from './rule.ts'

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive'

function fileMode(path: string, mode: number | undefined): Fault[] {
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [invalidValue(path, mode, modeText)] : []
}

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

export const secret = rule<SecretVolumeSource>((source, path) => [
  ...needs('secretName')(source, path),
  ...fileMode(`${path}.defaultMode`, source.defaultMode),
  ...keysToPaths(path, source.items),
])

export const configMap = rule<ConfigMapVolumeSource>((source, path) => [
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

export const downwardAPI = rule<DownwardAPIVolumeSource>((source, path) => [
  ...fileMode(`${path}.defaultMode`, source.defaultMode),
  ...(source.items ?? []).flatMap((file) => downwardFile(path, file)),
])

export const projected = rule<ProjectedVolumeSource>((source, path) => {
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
