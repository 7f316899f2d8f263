import { type Fault, invalidValue } from '../../faults.ts'
import { isExtendedResource } from '../../validation/quantities.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { listFaults } from './lists.ts'
import { configurationFaults, most, selectorFaults } from './selectors.ts'
import type { DeviceClass } from './types.ts'

export const deviceClasses = define<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  namespaced: false,
  tracksGeneration: true,
  validate: ({ spec }) => [
    ...selectorFaults('spec.selectors', spec.selectors),
    ...listFaults('spec.config', spec.config ?? [], most.items, (one, at) => configurationFaults(at, one)),
    ...extendedFaults('spec.extendedResourceName', spec.extendedResourceName),
  ],
  columns: [nameColumn, ageColumn],
})

function extendedFaults(path: string, name: string | undefined): Fault[] {
  return name === undefined || isExtendedResource(name)
    ? []
    : [invalidValue(path, name, 'must be a valid extended resource name')]
}
