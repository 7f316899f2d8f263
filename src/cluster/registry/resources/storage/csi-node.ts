import type { CSINode, CSINodeDriver } from 'kubernetes-types/storage/v1.js'
import { duplicate, type Fault, invalidValue, required } from '../../faults.ts'
import { checked, notNegative } from '../../validation/checks.ts'
import { same } from '../../validation/equality.ts'
import { byteLength, qualifiedName } from '../../validation/names.ts'
import { csiDriverName } from '../../validation/volume-sources/vendors.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { inOrder } from '../internal-form.ts'

const mostNodeIdBytes = 192

export const csiNodes = define<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  updateNeedsVersion: true,
  setDefaults(object) {
    // A node without drivers says so, as Kubernetes writes it: null, never absent.
    const open: { spec?: { drivers?: CSINodeDriver[] | null } } = object
    open.spec ??= {}
    open.spec.drivers ??= null
  },
  validate({ spec }) {
    const drivers = spec?.drivers ?? []
    return drivers.flatMap((driver, index) => {
      const at = `spec.drivers[${index}]`
      const isRepeated = drivers.slice(0, index).some(({ name }) => name === driver.name)
      return driverFaults(at, driver, isRepeated)
    })
  },
  validateUpdate: ({ spec }, old) =>
    (old.spec?.drivers ?? []).flatMap((before) => {
      const driver = (spec?.drivers ?? []).find(({ name }) => name === before.name)
      // How many volumes a node can hold may change while it runs.
      return driver === undefined || same(fixedOf(driver), fixedOf(before))
        ? []
        : [invalidValue('spec.drivers', inOrder(fixedOf(driver), driverFields), 'field is immutable')]
    }),
  columns: [
    nameColumn,
    column(
      'Drivers',
      'drivers is a list of information of all CSI Drivers existing on a node. If all drivers in the list are uninstalled, this can become empty.',
      ({ spec }) => spec?.drivers?.length ?? 0,
      'integer',
    ),
    ageColumn,
  ],
})

const driverFields = ['name', ['nodeID', 'NodeID'], 'topologyKeys', 'allocatable'] as const

function fixedOf({ allocatable: _changes, ...fixed }: CSINodeDriver): object {
  return fixed
}

function driverFaults(path: string, driver: CSINodeDriver, isRepeated: boolean): Fault[] {
  const { name, nodeID = '', allocatable, topologyKeys = [] } = driver
  const faults = csiDriverName(`${path}.name`, name)
  if (nodeID === '') faults.push(required(`${path}.nodeID`))
  if (byteLength(nodeID) > mostNodeIdBytes) {
    faults.push(invalidValue(`${path}.nodeID`, nodeID, `must be ${mostNodeIdBytes} characters or less`))
  }
  faults.push(...notNegative(`${path}.allocatable.count`, allocatable?.count))
  if (isRepeated) faults.push(duplicate(`${path}.name`, name))
  for (const [index, key] of topologyKeys.entries()) {
    if (key === '') faults.push(required(path))
    if (topologyKeys.indexOf(key) < index) faults.push(duplicate(path, key))
    faults.push(...checked(path, key, qualifiedName))
  }
  return faults
}
