import type { PersistentVolumeClaimSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, required } from '../faults.ts'
import { checked, optionalChoice, validateLabelSelector } from './checks.ts'
import { dnsSubdomain } from './names.ts'
import { positiveQuantity } from './quantities.ts'

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const volumeModes = ['Block', 'Filesystem']

/** How volumes and claims may be used, and together with what. */
export function validateAccessModes(path: string, modes: readonly string[]): Fault[] {
  const faults = modes.flatMap((mode) => optionalChoice(path, mode, accessModes))
  const isOnePod = modes.includes('ReadWriteOncePod')
  const hasOther = modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))
  if (isOnePod && hasOther) {
    faults.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'))
  }
  return faults
}

export const validateVolumeMode = (path: string, mode: string | undefined): Fault[] =>
  optionalChoice(path, mode, volumeModes)

/** What a claim asks for, be it one of its own or the template of a pod's ephemeral volume. */
export function validateClaimSpec(path: string, spec: PersistentVolumeClaimSpec): Fault[] {
  const faults: Fault[] = []
  const modes = spec.accessModes ?? []
  if (modes.length === 0) {
    faults.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  }
  faults.push(...validateLabelSelector(`${path}.selector`, spec.selector))
  faults.push(...validateAccessModes(`${path}.accessModes`, modes))
  const storage = spec.resources?.requests?.['storage']
  const storagePath = `${path}.resources[storage]`
  if (storage === undefined) faults.push(required(storagePath))
  else faults.push(...positiveQuantity(storage, storagePath))
  for (const field of ['storageClassName', 'volumeAttributesClassName'] as const) {
    const name = spec[field]
    if (name) faults.push(...checked(`${path}.${field}`, name, dnsSubdomain))
  }
  faults.push(...validateVolumeMode(`${path}.volumeMode`, spec.volumeMode))
  faults.push(...sourceFaults(path, spec))
  return faults
}

function sourceFaults(path: string, spec: PersistentVolumeClaimSpec): Fault[] {
  const faults: Fault[] = []
  for (const field of ['dataSource', 'dataSourceRef'] as const) {
    const source = spec[field]
    if (!source) continue
    const at = `${path}.${field}`
    if (!source.name) faults.push(required(`${at}.name`))
    if (!source.kind) faults.push(required(`${at}.kind`))
    if (source.apiGroup) {
      faults.push(...checked(`${at}.apiGroup`, source.apiGroup, dnsSubdomain))
    } else if (source.kind !== 'PersistentVolumeClaim') {
      faults.push(
        invalidValue(
          at,
          source.kind,
          "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ),
      )
    }
  }
  return faults
}
