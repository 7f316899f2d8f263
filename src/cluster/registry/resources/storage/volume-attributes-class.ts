import type { VolumeAttributesClass } from '../../../../kube/index.ts'
import { forbiddenField, required } from '../../faults.ts'
import { same } from '../../validation/equality.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { driverFaults, parameterFaults } from './class-faults.ts'

export const volumeAttributesClasses = define<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  namespaced: false,
  shortNames: ['vac'],
  validate: ({ driverName, parameters = {} }) => [
    ...driverFaults('driverName', driverName),
    ...parameterFaults(parameters),
    ...(Object.keys(parameters).length === 0
      ? [required('parameters', 'must contain at least one key/value pair')]
      : []),
  ],
  validateUpdate: (object, old) =>
    (['driverName', 'parameters'] as const)
      .filter((field) => !same(object[field], old[field]))
      .map((field) => forbiddenField(field, `updates to ${field} are forbidden.`)),
  columns: [
    nameColumn,
    column('DriverName', 'Name of the CSI driver This field is immutable.', ({ driverName }) => driverName),
    ageColumn,
  ],
})
