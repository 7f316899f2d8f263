import { type Fault, forbiddenField, invalidValue, required, tooLong } from '../../faults.ts'
import { checked, requiredChoice } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { byteLength, dnsSubdomain, labelText, qualifiedName } from '../../validation/names.ts'
import { validateNodeSelector } from '../../validation/node-selectors.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { attributeNameFaults, driverFaults, labelFaults, poolFaults } from './device-names.ts'
import { listFaults, setFaults } from './lists.ts'
import type { Access, Attribute, Device, ResourceSlice } from './types.ts'

type Spec = ResourceSlice['spec']

const most = {
  devices: 128,
  /** Of devices with taints or counters. */
  intricateDevices: 64,
  attributes: 32,
  counterSets: 8,
  consumed: 2,
  taints: 16,
  valueBytes: 64,
}
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

export const resourceSlices = define<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  namespaced: false,
  tracksGeneration: true,
  validate: ({ spec }) => sliceFaults(spec),
  validateUpdate: ({ spec }, { spec: before }) => [
    ...immutableField('spec.pool.name', spec.pool.name, before.pool.name),
    ...immutableField('spec.driver', spec.driver, before.driver),
    ...immutableField('spec.nodeName', spec.nodeName, before.nodeName),
  ],
  selectableFields: {
    'spec.driver': ({ spec }) => spec.driver,
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  },
  columns: [
    nameColumn,
    column(
      'Node',
      'NodeName identifies the node which provides the resources in this pool.',
      ({ spec }) => spec.nodeName ?? '<unset>',
    ),
    column(
      'Driver',
      'Driver identifies the DRA driver providing the capacity information.',
      ({ spec }) => spec.driver,
    ),
    column('Pool', 'Name is used to identify the pool.', ({ spec }) => spec.pool.name),
    ageColumn,
  ],
})

function sliceFaults(spec: Spec): Fault[] {
  const { driver, pool, devices = [], sharedCounters = [] } = spec
  const faults = [...driverFaults('spec.driver', driver), ...poolFaults('spec.pool.name', pool.name)]
  const { resourceSliceCount: count, generation } = pool
  if (count <= 0) {
    faults.push(invalidValue('spec.pool.resourceSliceCount', count, 'must be greater than zero'))
  }
  if (generation < 0) {
    faults.push(invalidValue('spec.pool.generation', generation, 'must be greater than or equal to zero'))
  }
  faults.push(...placeFaults(spec))
  if (devices.length > 0 && sharedCounters.length > 0) {
    faults.push(invalidValue('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
  }
  const isIntricate = devices.some(
    ({ taints, consumesCounters }) => taints?.length || consumesCounters?.length,
  )
  return [
    ...faults,
    ...setFaults('spec.devices', devices, isIntricate ? most.intricateDevices : most.devices, {
      look: (device, at) => deviceFaults(device, at, spec.perDeviceNodeSelection === true),
      key: ({ name }) => name,
    }),
    ...setFaults('spec.sharedCounters', sharedCounters, most.counterSets, {
      look: ({ name, counters }, at) => [
        ...labelFaults(`${at}.name`, name),
        ...counterFaults(`${at}.counters`, counters),
      ],
      key: ({ name = '' }) => name,
    }),
  ]
}

/** Which of the fields that say who has access are set, and what is wrong with them. */
function accessOf(
  path: string,
  access: Access,
  empty: string,
): { readonly set: string[]; readonly faults: Fault[] } {
  const { nodeName, nodeSelector, allNodes } = access
  const set: string[] = []
  const faults: Fault[] = []
  if (nodeName) {
    set.push('`nodeName`')
    faults.push(...checked(`${path}.nodeName`, nodeName, dnsSubdomain))
  } else if (nodeName === '') faults.push(invalidValue(`${path}.nodeName`, nodeName, empty))
  if (nodeSelector) {
    set.push('`nodeSelector`')
    faults.push(...validateNodeSelector(`${path}.nodeSelector`, nodeSelector))
  }
  if (allNodes) set.push('`allNodes`')
  else if (allNodes === false) {
    faults.push(invalidValue(`${path}.allNodes`, false, 'must be either unset or set to true'))
  }
  return { set, faults }
}

function placeFaults(spec: Spec): Fault[] {
  const { set, faults } = accessOf('spec', spec, 'must be either unset or set to a non-empty string')
  const terms = spec.nodeSelector?.nodeSelectorTerms
  if (terms && terms.length !== 1) {
    const path = 'spec.nodeSelector.nodeSelectorTerms'
    faults.push(invalidValue(path, terms, 'must have exactly one node selector term'))
  }
  if (spec.perDeviceNodeSelection) set.push('`perDeviceNodeSelection`')
  else if (spec.perDeviceNodeSelection === false) {
    faults.push(invalidValue('spec.perDeviceNodeSelection', false, 'must be either unset or set to true'))
  }
  const one = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (set.length === 0) return [...faults, required('spec', one)]
  return set.length === 1
    ? faults
    : [...faults, invalidValue('spec', `{${set.join(', ')}}`, `${one}, but multiple fields are set`)]
}

function deviceFaults(device: Device, path: string, saysItsNodes: boolean): Fault[] {
  const { attributes = {}, capacity = {}, taints = [], consumesCounters = [] } = device
  const faults = labelFaults(`${path}.name`, device.name)
  const count = Object.keys(attributes).length + Object.keys(capacity).length
  if (count > most.attributes) {
    const text = `the total number of attributes and capacities must not exceed ${most.attributes}`
    faults.push(invalidValue(path, count, text))
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    faults.push(...attributeNameFaults(`${path}.attributes`, name))
    faults.push(...attributeFaults(`${path}.attributes[${name}]`, attribute))
  }
  for (const [name, { requestPolicy }] of Object.entries(capacity)) {
    faults.push(...attributeNameFaults(`${path}.capacity`, name))
    if (requestPolicy && !device.allowMultipleAllocations) {
      const at = `${path}.capacity[${name}].requestPolicy`
      faults.push(forbiddenField(at, 'allowMultipleAllocations must be true'))
    }
  }
  return [
    ...faults,
    ...listFaults(`${path}.taints`, taints, most.taints, ({ key, value = '', effect }, at) => [
      ...(key ? checked(`${at}.key`, key, qualifiedName) : [required(`${at}.key`)]),
      ...checked(`${at}.value`, value, labelText),
      ...requiredChoice(`${at}.effect`, effect, ['NoExecute', 'NoSchedule', 'None']),
    ]),
    ...setFaults(`${path}.consumesCounters`, consumesCounters, most.consumed, {
      look: ({ counterSet, counters }, at) => [
        ...labelFaults(`${at}.counterSet`, counterSet),
        ...counterFaults(`${at}.counters`, counters),
      ],
      key: ({ counterSet = '' }) => counterSet,
    }),
    ...ownPlaceFaults(device, path, saysItsNodes),
  ]
}

function ownPlaceFaults(device: Device, path: string, saysItsNodes: boolean): Fault[] {
  const { set, faults } = accessOf(path, device, 'must not be empty')
  if (!saysItsNodes) {
    const { nodeName, nodeSelector, allNodes } = device
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return []
    const text =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
    return [invalidValue(path, null, text)]
  }
  const one =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (set.length === 0) return [...faults, required(path, one)]
  return set.length === 1 ? faults : [...faults, invalidValue(path, `{${set.join(', ')}}`, one)]
}

function attributeFaults(path: string, attribute: Attribute): Fault[] {
  const faults: Fault[] = []
  const { version } = attribute
  for (const field of ['string', 'version'] as const) {
    const at = `${path}.${field}`
    if (field === 'version' && version !== undefined && !semver.test(version)) {
      faults.push(invalidValue(at, version, 'must be a string compatible with semver.org spec 2.0.0'))
    }
    if (byteLength(attribute[field] ?? '') > most.valueBytes) faults.push(tooLong(at, most.valueBytes))
  }
  const values = Object.values(attribute).filter((value) => value !== undefined)
  if (values.length === 1) return faults
  const shown = values.length === 0 ? '' : attribute
  return [...faults, invalidValue(path, shown, 'exactly one value must be specified')]
}

function counterFaults(path: string, counters: Readonly<Record<string, unknown>> = {}): Fault[] {
  const names = Object.keys(counters)
  return names.length === 0 ? [required(path)] : names.flatMap((name) => labelFaults(path, name))
}
