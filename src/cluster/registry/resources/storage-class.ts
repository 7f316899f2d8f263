import type { StorageClass } from 'kubernetes-types/storage/v1.js'
import { type Fault, forbiddenField, required, tooLong } from '../faults.ts'
import { checked, optionalChoice, requiredChoice } from '../validation/checks.ts'
import { same } from '../validation/equality.ts'
import { immutableField } from '../validation/metadata.ts'
import { byteLength, qualifiedName } from '../validation/names.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'

const mostParameterBytes = 256 * 1024
const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

export const storageClasses = define<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  namespaced: false,
  shortNames: ['sc'],
  setDefaults(object) {
    object.reclaimPolicy ??= 'Delete'
    object.volumeBindingMode ??= 'Immediate'
  },
  validate(object) {
    const faults: Fault[] = []
    if (!object.provisioner) faults.push(required('provisioner'))
    else faults.push(...checked('provisioner', object.provisioner.toLowerCase(), qualifiedName))
    let size = 0
    for (const key in object.parameters) {
      if (key === '') faults.push(required('parameters', 'field can not be empty.'))
      size += byteLength(key) + byteLength(object.parameters[key] ?? '')
    }
    if (size > mostParameterBytes) faults.push(tooLong('parameters', mostParameterBytes))
    faults.push(...optionalChoice('reclaimPolicy', object.reclaimPolicy, ['Delete', 'Retain']))
    faults.push(
      ...requiredChoice('volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']),
    )
    return faults
  },
  validateUpdate(object, old) {
    const faults: Fault[] = []
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
      if (!same(object[field], old[field])) {
        faults.push(forbiddenField(field, `updates to ${field} are forbidden.`))
      }
    }
    return [
      ...faults,
      ...immutableField('volumeBindingMode', object.volumeBindingMode, old.volumeBindingMode),
    ]
  },
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) => {
        const isDefault = defaultAnnotations.some((name) => metadata.annotations?.[name] === 'true')
        return `${metadata.name ?? ''}${isDefault ? ' (default)' : ''}`
      },
    },
    column(
      'Provisioner',
      'provisioner indicates the type of the provisioner.',
      (object) => object.provisioner,
    ),
    column(
      'ReclaimPolicy',
      'reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class. Defaults to Delete.',
      (object) => object.reclaimPolicy ?? 'Delete',
    ),
    column(
      'VolumeBindingMode',
      'volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling feature.',
      (object) => object.volumeBindingMode ?? 'Immediate',
    ),
    column(
      'AllowVolumeExpansion',
      'allowVolumeExpansion shows whether the storage class allow volume expand.',
      (object) => object.allowVolumeExpansion ?? false,
    ),
    ageColumn,
  ],
})
