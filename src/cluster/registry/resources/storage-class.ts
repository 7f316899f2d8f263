import type { StorageClass } from 'kubernetes-types/storage/v1.js'
import { defaultStorageClassMarks } from '../../../kube/index.ts'
import { type Fault, forbiddenField } from '../faults.ts'
import { optionalChoice, requiredChoice } from '../validation/checks.ts'
import { same } from '../validation/equality.ts'
import { immutableField } from '../validation/metadata.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'
import { driverFaults, parameterFaults } from './storage/class-faults.ts'

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
    const faults = [
      ...driverFaults('provisioner', object.provisioner),
      ...parameterFaults(object.parameters ?? {}),
    ]
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
        const isDefault = defaultStorageClassMarks.some((name) => metadata.annotations?.[name] === 'true')
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
