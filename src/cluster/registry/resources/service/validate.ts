import type { Service, ServicePort } from 'kubernetes-types/core/v1.js'
import { duplicate, type Fault, forbiddenField, invalidValue, required } from '../../faults.ts'
import {
  checked,
  cidr,
  ipAddress,
  optionalChoice,
  ordinaryAddress,
  portNumberOrName,
  requiredChoice,
} from '../../validation/checks.ts'
import { validateLabels } from '../../validation/metadata.ts'
import { between, dnsLabel, dnsSubdomain, portNumber, qualifiedName } from '../../validation/names.ts'
import type { Of } from '../define.ts'
import {
  validateAddressChange,
  validateAllocation,
  validateClusterIPs,
  validateNodePortRange,
} from './addresses.ts'
import { isHeadless, isReachableFromOutside, needsHealthCheck } from './defaults.ts'

type Spec = NonNullable<Service['spec']>

const longestAffinity = 86_400
const onlyBalancers = "may only be used when `type` is 'LoadBalancer'"
const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']

export function validateService({ spec = {} }: Of<Service>): Fault[] {
  const { type = '', ports = [] } = spec
  const faults: Fault[] = []
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') {
    faults.push(required('spec.ports'))
  }
  if (isHeadless(spec) && (type === 'LoadBalancer' || type === 'NodePort')) {
    const text = `may not be set to 'None' for ${type} services`
    faults.push(invalidValue('spec.clusterIPs[0]', 'None', text))
  }
  if (type === 'ExternalName') faults.push(...externalNameFaults(spec))
  return [
    ...faults,
    ...portFaults(ports),
    ...validateLabels(spec.selector ?? {}, 'spec.selector'),
    ...affinityFaults(spec),
    ...validateClusterIPs(spec),
    ...validateAllocation(spec),
    ...validateNodePortRange(spec),
    ...(spec.externalIPs ?? []).flatMap((address, index) => {
      const wrong = ipAddress(`spec.externalIPs[${index}]`, address)
      return wrong.length > 0 ? wrong : ordinaryAddress(`spec.externalIPs[${index}]`, address)
    }),
    ...requiredChoice('spec.type', spec.type, types),
    ...portConflicts(type, ports),
    ...balancerFaults(spec),
    ...trafficFaults(spec),
  ]
}

/** An alias has no address of its own. */
function externalNameFaults(spec: Spec): Fault[] {
  const faults: Fault[] = []
  for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    const value = spec[field]
    if (value === undefined || value.length === 0) continue
    faults.push(forbiddenField(`spec.${field}`, 'may not be set for ExternalName services'))
  }
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  return name
    ? [...faults, ...checked('spec.externalName', name, dnsSubdomain)]
    : [...faults, required('spec.externalName')]
}

function portFaults(ports: readonly ServicePort[]): Fault[] {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const at = `spec.ports[${index}]`
    const faults: Fault[] = []
    if (port.name) {
      faults.push(...checked(`${at}.name`, port.name, dnsLabel))
      if (names.has(port.name)) faults.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    } else if (ports.length > 1) faults.push(required(`${at}.name`))
    const number = port.port ?? 0
    faults.push(...portNumber(number).map((text) => invalidValue(`${at}.port`, number, text)))
    faults.push(...requiredChoice(`${at}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']))
    faults.push(...portNumberOrName(`${at}.targetPort`, port.targetPort))
    if (port.appProtocol !== undefined) {
      faults.push(...checked(`${at}.appProtocol`, port.appProtocol, qualifiedName))
    }
    return faults
  })
}

function portConflicts(type: string, ports: readonly ServicePort[]): Fault[] {
  const faults: Fault[] = []
  const onNodes = new Set<string>()
  const own = new Set<string>()
  for (const [index, { nodePort }] of ports.entries()) {
    if (type === 'ClusterIP' && nodePort) {
      const text = "may not be used when `type` is 'ClusterIP'"
      faults.push(forbiddenField(`spec.ports[${index}].nodePort`, text))
    }
  }
  for (const [index, { nodePort, protocol }] of ports.entries()) {
    if (!nodePort) continue
    const key = `${protocol}/${nodePort}`
    if (onNodes.has(key)) faults.push(duplicate(`spec.ports[${index}].nodePort`, nodePort))
    onNodes.add(key)
  }
  for (const [index, { port, protocol = '' }] of ports.entries()) {
    const key = `${protocol}/${port}`
    if (own.has(key)) {
      // Kubernetes shows the internal form of a port with nothing else in it.
      const shown = {
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: port,
        TargetPort: 0,
        NodePort: 0,
      }
      faults.push(duplicate(`spec.ports[${index}]`, shown))
    }
    own.add(key)
  }
  return faults
}

function affinityFaults(spec: Spec): Fault[] {
  const { sessionAffinity: affinity, sessionAffinityConfig: config } = spec
  const path = 'spec.sessionAffinityConfig'
  const faults = requiredChoice('spec.sessionAffinity', affinity, ['ClientIP', 'None'])
  if (affinity === 'None' && config) {
    faults.push(forbiddenField(path, 'must not be set when session affinity is None'))
  }
  if (affinity !== 'ClientIP') return faults
  const missing = 'when session affinity type is ClientIP'
  if (!config) return [...faults, required(path, missing)]
  if (!config.clientIP) return [...faults, required(`${path}.clientIP`, missing)]
  const seconds = config.clientIP.timeoutSeconds
  const at = `${path}.clientIP.timeoutSeconds`
  if (seconds === undefined) return [...faults, required(at, missing)]
  if (seconds > 0 && seconds <= longestAffinity) return faults
  return [...faults, invalidValue(at, seconds, `must be greater than 0 and less than ${longestAffinity}`)]
}

function balancerFaults(spec: Spec): Fault[] {
  const { loadBalancerSourceRanges: ranges = [], loadBalancerClass: balancer } = spec
  const isBalancer = spec.type === 'LoadBalancer'
  const path = 'spec.LoadBalancerSourceRanges'
  const faults: Fault[] = []
  if (ranges.length > 0 && !isBalancer) faults.push(forbiddenField(path, onlyBalancers))
  for (const [index, range] of ranges.entries()) faults.push(...cidr(`${path}[${index}]`, range.trim()))
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalancer) {
    faults.push(forbiddenField('spec.allocateLoadBalancerNodePorts', onlyBalancers))
  }
  if (balancer === undefined) return faults
  return isBalancer
    ? [...faults, ...checked('spec.loadBalancerClass', balancer, qualifiedName)]
    : [...faults, forbiddenField('spec.loadBalancerClass', onlyBalancers)]
}

function trafficFaults(spec: Spec): Fault[] {
  const { externalTrafficPolicy: outside, healthCheckNodePort: health, type } = spec
  const policies = ['Cluster', 'Local']
  const faults: Fault[] = []
  if (isReachableFromOutside(spec)) {
    faults.push(...requiredChoice('spec.externalTrafficPolicy', outside, policies))
  } else if (outside) {
    const text = 'may only be set for externally-accessible services'
    faults.push(invalidValue('spec.externalTrafficPolicy', outside, text))
  }
  const at = 'spec.healthCheckNodePort'
  if (!needsHealthCheck(spec)) {
    if (health) {
      const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
      faults.push(invalidValue(at, health, text))
    }
  } else if (!health) faults.push(required(at))
  else if (portNumber(health).length > 0) faults.push(invalidValue(at, health, between(1, 65535)))
  const inside = spec.internalTrafficPolicy
  if (inside === undefined && type !== 'ExternalName') {
    faults.push(required('spec.internalTrafficPolicy'))
  }
  return [
    ...faults,
    ...optionalChoice('spec.internalTrafficPolicy', inside, policies),
    ...optionalChoice('spec.trafficDistribution', distributionOf(spec), [
      'PreferClose',
      'PreferSameNode',
      'PreferSameZone',
    ]),
  ]
}

/** Younger than the typed API this program is built with. */
function distributionOf(spec: Spec & { trafficDistribution?: string }): string | undefined {
  return spec.trafficDistribution
}

export function validateServiceUpdate(service: Of<Service>, old: Of<Service>): Fault[] {
  const [spec, before] = [service.spec ?? {}, old.spec ?? {}]
  const faults = validateAddressChange(spec, before)
  const isBalancer = spec.type === 'LoadBalancer' && before.type === 'LoadBalancer'
  if (isBalancer && spec.loadBalancerClass !== before.loadBalancerClass) {
    const { loadBalancerClass = null } = spec
    faults.push(invalidValue('spec.loadBalancerClass', loadBalancerClass, 'may not change once set'))
  }
  const areChecked = needsHealthCheck(spec) && needsHealthCheck(before)
  if (areChecked && spec.healthCheckNodePort !== before.healthCheckNodePort) {
    faults.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'))
  }
  return faults
}
