/**
 * The types of `resource.k8s.io/v1`, which is younger than the package: for each its fields with their TypeScript types and
 * descriptions, `?` for optional ones, in the form of `added` of `schema-facts.mjs`.
 */
import { kindAndList } from './added-kinds.mjs'

const apiVersion = 'resource.k8s.io/v1'
const selectors = ['Array<DeviceSelector>', 'Conditions that a device must meet; all of them.']
const tolerations = ['Array<DeviceToleration>', 'Taints that a device may have.']
const mode = ['string', 'How many devices: ExactCount, the default, or All that match.']
const count = ['number', 'How many devices, with ExactCount. 1 when left out.']
const className = ['string', 'Name of the DeviceClass.']
const capacity = ['CapacityRequirements', 'How much of each capacity is wanted.']
const opaque = ['OpaqueDeviceConfiguration', 'Parameters that only the driver understands.']
const requests = ['Array<string>', 'Names of the requests that this is about; all when left out.']
const driver = ['string', 'Name of the driver.']
const pool = ['string', 'Name of the pool.']
const device = ['string', 'Name of the device in the pool.']
const shareId = ['string', 'Tells allocations of one device apart.']
const nodeName = ['string', 'The one node that has access.']
const nodeSelector = ['NodeSelector', 'The nodes that have access.']
const allNodes = ['boolean', 'Whether all nodes have access.']
const conditions = ['Array<string>', 'Types of conditions that must be true before a pod is bound.']
const failures = ['Array<string>', 'Types of conditions any of which ends the wait for binding.']

export const deviceTypes = {
  ...kindAndList('DeviceClass', apiVersion, 'A kind of device that claims may ask for.', {
    spec: ['DeviceClassSpec', 'What devices of the class are like.'],
  }),
  DeviceClassSpec: {
    '': 'What devices of a class are like.',
    'config?': ['Array<DeviceClassConfiguration>', 'Configuration for all devices of the class.'],
    'extendedResourceName?': ['string', 'Extended resource that pods may ask for in place of a claim.'],
    'selectors?': selectors,
  },
  DeviceClassConfiguration: { '': 'Configuration of the devices of a class.', 'opaque?': opaque },
  ...kindAndList('ResourceClaim', apiVersion, 'Devices that pods want to use.', {
    spec: ['ResourceClaimSpec', 'The devices that are wanted. It cannot be changed.'],
    'status?': ['ResourceClaimStatus', 'The devices that have been given.'],
  }),
  ResourceClaimSpec: {
    '': 'The devices that are wanted.',
    'devices?': ['DeviceClaim', 'The requests.'],
  },
  DeviceClaim: {
    '': 'Requests for devices.',
    'config?': ['Array<DeviceClaimConfiguration>', 'Configuration for drivers.'],
    'constraints?': ['Array<DeviceConstraint>', 'What the devices together must meet.'],
    'requests?': ['Array<DeviceRequest>', 'The single requests.'],
  },
  DeviceRequest: {
    '': 'One request for devices.',
    'exactly?': ['ExactDeviceRequest', 'The devices that are wanted.'],
    'firstAvailable?': ['Array<DeviceSubRequest>', 'Alternatives, the best first.'],
    name: ['string', 'Name of the request in the claim.'],
  },
  ExactDeviceRequest: {
    '': 'A request for devices of one class.',
    'adminAccess?': ['boolean', 'Access for administration, also to devices in use.'],
    'allocationMode?': mode,
    'capacity?': capacity,
    'count?': count,
    deviceClassName: className,
    'selectors?': selectors,
    'tolerations?': tolerations,
  },
  DeviceSubRequest: {
    '': 'One alternative of a request.',
    'allocationMode?': mode,
    'capacity?': capacity,
    'count?': count,
    deviceClassName: className,
    name: ['string', 'Name of the alternative in the request.'],
    'selectors?': selectors,
    'tolerations?': tolerations,
  },
  CapacityRequirements: {
    '': 'How much of each capacity of a device is wanted.',
    'requests?': ['Map<Quantity>', 'Amounts by name of the capacity.'],
  },
  DeviceSelector: { '': 'A condition on devices.', 'cel?': ['CELDeviceSelector', 'The condition in CEL.'] },
  CELDeviceSelector: {
    '': 'A condition on devices in CEL.',
    expression: ['string', 'Must be true for the device, which is the variable device.'],
  },
  DeviceToleration: {
    '': 'A taint of devices that is put up with.',
    'effect?': ['string', 'NoSchedule or NoExecute; all when left out.'],
    'key?': ['string', 'Key of the taint; all when left out.'],
    'operator?': ['string', 'Exists or Equal, the default.'],
    'tolerationSeconds?': ['number', 'How long NoExecute is put up with; for ever when left out.'],
    'value?': ['string', 'Value of the taint, with Equal.'],
  },
  DeviceConstraint: {
    '': 'What devices together must meet.',
    'distinctAttribute?': ['string', 'Attribute in which all devices must differ.'],
    'matchAttribute?': ['string', 'Attribute that all devices must have in common.'],
    'requests?': requests,
  },
  DeviceClaimConfiguration: {
    '': 'Configuration of the devices of a claim.',
    'opaque?': opaque,
    'requests?': requests,
  },
  OpaqueDeviceConfiguration: {
    '': 'Parameters that only the driver understands.',
    driver,
    parameters: ['RawExtension', 'Any object.'],
  },
  ResourceClaimStatus: {
    '': 'The devices that a claim has been given.',
    'allocation?': ['AllocationResult', 'Set once devices have been given.'],
    'devices?': ['Array<AllocatedDeviceStatus>', 'What drivers say of the devices.'],
    'reservedFor?': ['Array<ResourceClaimConsumerReference>', 'Who may use the claim now.'],
  },
  AllocationResult: {
    '': 'Devices that have been given.',
    'allocationTimestamp?': ['Time', 'When they were given.'],
    'devices?': ['DeviceAllocationResult', 'The devices.'],
    'nodeSelector?': ['NodeSelector', 'Where the devices can be used.'],
  },
  DeviceAllocationResult: {
    '': 'Devices that have been given.',
    'config?': ['Array<DeviceAllocationConfiguration>', 'Configuration of claim and class.'],
    'results?': ['Array<DeviceRequestAllocationResult>', 'The devices.'],
  },
  DeviceRequestAllocationResult: {
    '': 'A device that has been given for a request.',
    'adminAccess?': ['boolean', 'Access for administration.'],
    'bindingConditions?': conditions,
    'bindingFailureConditions?': failures,
    'consumedCapacity?': ['Map<Quantity>', 'Amounts of capacities that have been given.'],
    device,
    driver,
    pool,
    request: ['string', 'Name of the request, or of it and the alternative.'],
    'shareID?': shareId,
    'tolerations?': tolerations,
  },
  DeviceAllocationConfiguration: {
    '': 'Configuration of devices that have been given.',
    'opaque?': opaque,
    'requests?': requests,
    source: ['string', 'FromClass or FromClaim.'],
  },
  ResourceClaimConsumerReference: {
    '': 'Who uses a claim.',
    'apiGroup?': ['string', 'Group of the resource.'],
    name: ['string', 'Name of the object.'],
    resource: ['string', 'Resource of the object, as in pods.'],
    uid: ['string', 'Identity of the object.'],
  },
  AllocatedDeviceStatus: {
    '': 'What a driver says of a device.',
    'conditions?': ['Array<Condition>', 'State of the device.'],
    'data?': ['RawExtension', 'Anything else.'],
    device,
    driver,
    'networkData?': ['NetworkDeviceData', 'State of a network device.'],
    pool,
    'shareID?': shareId,
  },
  NetworkDeviceData: {
    '': 'State of a network device.',
    'hardwareAddress?': ['string', 'Hardware address of the interface.'],
    'interfaceName?': ['string', 'Name of the interface.'],
    'ips?': ['Array<string>', 'Addresses of the interface in CIDR notation.'],
  },
  ...kindAndList('ResourceClaimTemplate', apiVersion, 'What claims are made from, one for each pod.', {
    spec: ['ResourceClaimTemplateSpec', 'The claim. It cannot be changed.'],
  }),
  ResourceClaimTemplateSpec: {
    '': 'The claim that is made from a template.',
    'metadata?': ['ObjectMeta', 'Labels and annotations of the claim.'],
    spec: ['ResourceClaimSpec', 'Spec of the claim.'],
  },
  ...kindAndList('ResourceSlice', apiVersion, 'Devices of one pool of a driver.', {
    spec: ['ResourceSliceSpec', 'The devices.'],
  }),
  ResourceSliceSpec: {
    '': 'Devices of one pool of a driver.',
    'allNodes?': allNodes,
    'devices?': ['Array<Device>', 'The devices.'],
    driver,
    'nodeName?': nodeName,
    'nodeSelector?': nodeSelector,
    'perDeviceNodeSelection?': ['boolean', 'Whether each device says which nodes have access.'],
    pool: ['ResourcePool', 'The pool.'],
    'sharedCounters?': ['Array<CounterSet>', 'What the devices use up together.'],
  },
  ResourcePool: {
    '': 'A pool of devices.',
    generation: ['number', 'Grows with every change of the pool.'],
    name: ['string', 'Name of the pool.'],
    resourceSliceCount: ['number', 'How many slices the pool has.'],
  },
  Device: {
    '': 'One device.',
    'allNodes?': allNodes,
    'allowMultipleAllocations?': ['boolean', 'Whether the device may be given more than once.'],
    'attributes?': ['Map<DeviceAttribute>', 'What the device is like.'],
    'bindingConditions?': conditions,
    'bindingFailureConditions?': failures,
    'bindsToNode?': ['boolean', 'Whether using the device binds the claim to the node.'],
    'capacity?': ['Map<DeviceCapacity>', 'How much the device has of what.'],
    'consumesCounters?': ['Array<DeviceCounterConsumption>', 'What the device uses up.'],
    name: ['string', 'Name of the device in the pool.'],
    'nodeName?': nodeName,
    'nodeSelector?': nodeSelector,
    'taints?': ['Array<DeviceTaint>', 'What keeps claims from the device.'],
  },
  DeviceAttribute: {
    '': 'One attribute of a device; exactly one of the fields.',
    'bool?': ['boolean', 'True or false.'],
    'int?': ['number', 'A number.'],
    'string?': ['string', 'A text of 64 characters at most.'],
    'version?': ['string', 'A version by semver.org.'],
  },
  DeviceCapacity: {
    '': 'How much a device has of something.',
    'requestPolicy?': ['CapacityRequestPolicy', 'What may be asked for.'],
    value: ['Quantity', 'The amount.'],
  },
  CapacityRequestPolicy: {
    '': 'How much of a capacity may be asked for.',
    'default?': ['Quantity', 'When a request says nothing.'],
    'validRange?': ['CapacityRequestPolicyRange', 'A range of amounts.'],
    'validValues?': ['Array<Quantity>', 'All amounts that there are.'],
  },
  CapacityRequestPolicyRange: {
    '': 'A range of amounts.',
    'max?': ['Quantity', 'The most.'],
    min: ['Quantity', 'The least.'],
    'step?': ['Quantity', 'What amounts differ by.'],
  },
  DeviceCounterConsumption: {
    '': 'What a device uses up of a set of counters.',
    counterSet: ['string', 'Name of the set.'],
    counters: ['Map<Counter>', 'Amounts by name of the counter.'],
  },
  CounterSet: {
    '': 'A set of counters.',
    counters: ['Map<Counter>', 'Amounts by name of the counter.'],
    name: ['string', 'Name of the set.'],
  },
  Counter: { '': 'An amount.', value: ['Quantity', 'The amount.'] },
  DeviceTaint: {
    '': 'What keeps claims from a device.',
    effect: ['string', 'None, NoSchedule or NoExecute.'],
    key: ['string', 'A label key.'],
    'timeAdded?': ['Time', 'Since when.'],
    'value?': ['string', 'A label value.'],
  },
}

export const deviceImports = {
  ObjectMeta: 'meta/v1',
  ListMeta: 'meta/v1',
  Condition: 'meta/v1',
  Time: 'meta/v1',
  NodeSelector: 'core/v1',
  Quantity: 'api/resource',
  RawExtension: 'runtime',
}
