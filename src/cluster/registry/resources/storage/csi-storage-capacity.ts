import type { CSIStorageCapacity } from 'kubernetes-types/storage/v1.js'
import { parseQuantity } from '../../../../kube/index.ts'
import { type Fault, invalidValue } from '../../faults.ts'
import { checked, validateLabelSelector } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { dnsSubdomain } from '../../validation/names.ts'
import { column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'

export const csiStorageCapacities = define<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  namespaced: true,
  updateNeedsVersion: true,
  validate: ({ nodeTopology, storageClassName = '', capacity }) => [
    ...validateLabelSelector('nodeTopology', nodeTopology),
    ...checked('storageClassName', storageClassName, dnsSubdomain),
    ...(capacity === undefined ? [] : notNegativeQuantity('capacity', capacity)),
  ],
  validateUpdate: (object, old) => [
    ...immutableField('nodeTopology', object.nodeTopology, old.nodeTopology),
    ...immutableField('storageClassName', object.storageClassName, old.storageClassName),
  ],
  columns: [
    nameColumn,
    column(
      'StorageClassName',
      'storageClassName represents the name of the StorageClass that the reported capacity applies to. It must meet the same requirements as the name of a StorageClass object (non-empty, DNS subdomain). If that object no longer exists, the CSIStorageCapacity object is obsolete and should be removed by its creator. This field is immutable.',
      ({ storageClassName }) => storageClassName,
    ),
    column(
      'Capacity',
      'capacity is the value reported by the CSI driver in its GetCapacityResponse for a GetCapacityRequest with topology and parameters that match the previous fields.\n\nThe semantic is currently (CSI spec 1.2) defined as: The available capacity, in bytes, of the storage that can be used to provision volumes. If not set, that information is currently unavailable.',
      ({ capacity }) => capacity ?? '<unset>',
    ),
  ],
})

function notNegativeQuantity(path: string, value: string): Fault[] {
  return parseQuantity(value).nanos < 0n
    ? [invalidValue(path, value, 'must be greater than or equal to 0')]
    : []
}
