import { isIP } from 'node:net'
import type { Service } from 'kubernetes-types/core/v1.js'
import { duplicate, type Fault, forbiddenField, invalidValue, required } from '../../faults.ts'
import { checked, ipAddress, optionalChoice } from '../../validation/checks.ts'
import { same } from '../../validation/equality.ts'
import { dnsSubdomain } from '../../validation/names.ts'
import type { Of } from '../define.ts'
import { nodePorts } from './allocate.ts'
import { isHeadless, needsNodePorts } from './defaults.ts'

type Spec = NonNullable<Service['spec']>

const path = { ips: 'spec.clusterIPs', families: 'spec.ipFamilies', policy: 'spec.ipFamilyPolicy' }

/** `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` tell one story. */
export function validateClusterIPs(spec: Spec): Fault[] {
  if (spec.type === 'ExternalName') return []
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec
  const faults: Fault[] = []
  if (clusterIP === '') {
    if (clusterIPs.length > 0) {
      const text = 'must be empty when `clusterIP` is not specified'
      faults.push(invalidValue(path.ips, clusterIPs, text))
    }
  } else if (clusterIPs.length === 0) faults.push(required(path.ips))
  else if (clusterIPs[0] !== clusterIP) {
    faults.push(invalidValue(path.ips, clusterIPs, 'first value must match `clusterIP`'))
  }
  for (const [index, family] of ipFamilies.entries()) {
    const at = `${path.families}[${index}]`
    faults.push(...optionalChoice(at, family, ['IPv4', 'IPv6']))
    if (ipFamilies.indexOf(family) < index) faults.push(duplicate(at, family))
  }
  faults.push(
    ...optionalChoice(path.policy, spec.ipFamilyPolicy, [
      'PreferDualStack',
      'RequireDualStack',
      'SingleStack',
    ]),
  )
  const wrong = addressFaults(clusterIPs)
  faults.push(...wrong)
  if (clusterIPs.length > 2) {
    faults.push(invalidValue(path.ips, clusterIPs, 'may only hold up to 2 values'))
  }
  return wrong.length > 0 ? faults : [...faults, ...familyFaults(spec, clusterIPs, ipFamilies)]
}

function addressFaults(addresses: readonly string[]): Fault[] {
  return addresses.flatMap((address, index) => {
    if (index > 0 || address !== 'None') return ipAddress(`${path.ips}[${index}]`, address)
    return addresses.length > 1
      ? [invalidValue(path.ips, addresses, "'None' must be the first and only value")]
      : []
  })
}

function familyFaults(spec: Spec, addresses: readonly string[], families: readonly string[]): Fault[] {
  const faults: Fault[] = []
  if (addresses.length > 1 && new Set(addresses.map(isIP)).size < 2) {
    const text = 'may specify no more than one IP for each IP family'
    faults.push(invalidValue(path.ips, addresses, text))
  }
  if (isHeadless(spec)) return faults
  for (const [index, address] of addresses.entries()) {
    const family = families[index]
    if (family === undefined || family === (isIP(address) === 6 ? 'IPv6' : 'IPv4')) continue
    faults.push(
      invalidValue(
        `${path.ips}[${index}]`,
        address,
        `expected an ${family} value as indicated by \`ipFamilies[${index}]\``,
      ),
    )
  }
  return faults
}

/** The ports of nodes that services may have. */
export function validateNodePortRange(spec: Spec): Fault[] {
  if (!needsNodePorts(spec)) return []
  const { first, end } = nodePorts
  return (spec.ports ?? []).flatMap(({ nodePort }, index) =>
    !nodePort || nodePort > 65_535 || (nodePort >= first && nodePort < end)
      ? []
      : [
          invalidValue(
            `spec.ports[${index}].nodePort`,
            nodePort,
            `provided port is not in the valid range. The range of valid ports is ${first}-${end - 1}`,
          ),
        ],
  )
}

/** What this cluster can give: IPv4 addresses. */
export function validateAllocation(spec: Spec): Fault[] {
  if (spec.type === 'ExternalName') return []
  const hasSelector = Object.keys(spec.selector ?? {}).length > 0
  if (isHeadless(spec) && !hasSelector) return []
  const faults: Fault[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    const text = 'this cluster is not configured for dual-stack services'
    faults.push(invalidValue(path.policy, spec.ipFamilyPolicy, text))
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (family !== 'IPv6') continue
    faults.push(invalidValue(`${path.families}[${index}]`, family, 'not configured on this cluster'))
  }
  return faults
}

/** Addresses and families stay once they are given; the second of two may come and go. */
export function validateAddressChange(spec: Spec, before: Spec): Fault[] {
  if (spec.type === 'ExternalName' || before.type === 'ExternalName') return []
  const [was, is] = [isHeadless(before), isHeadless(spec)]
  if (was && is) return []
  const faults = changeFaults('clusterIPs', spec, before)
  return was === is ? [...faults, ...changeFaults('ipFamilies', spec, before)] : faults
}

function changeFaults(field: 'clusterIPs' | 'ipFamilies', spec: Spec, before: Spec): Fault[] {
  const [now, then] = [spec[field] ?? [], before[field] ?? []]
  const at = (index: number): string => `spec.${field}[${field === 'clusterIPs' ? index : 0}]`
  if (now.length === then.length) {
    return then.flatMap((value, index) =>
      same(value, now[index]) ? [] : [invalidValue(at(index), now, 'may not change once set')],
    )
  }
  const faults: Fault[] = []
  const name = field === 'clusterIPs' ? 'clusterIP' : 'ipFamily'
  if (now.length === 0) {
    faults.push(invalidValue(at(0), now, `primary ${name} can not be unset`))
  } else if (then.length > 0 && now[0] !== then[0]) {
    faults.push(invalidValue(at(0), now, 'may not change once set'))
  }
  if (now.length === 1 && then.length === 2 && spec.ipFamilyPolicy !== 'SingleStack') {
    const text = `must be set to 'SingleStack' when releasing the secondary ${name}`
    faults.push(invalidValue(path.policy, spec.ipFamilyPolicy ?? null, text))
  }
  return faults
}

const ipModes = ['Proxy', 'VIP']

/** What a load balancer reports of itself, and that the service has one. */
export function validateBalancerStatus({ spec, status }: Of<Service>): Fault[] {
  const path = 'status.loadBalancer.ingress'
  const ingress = status?.loadBalancer?.ingress ?? []
  if (ingress.length > 0 && spec?.type !== 'LoadBalancer')
    return [forbiddenField(path, "may only be used when `spec.type` is 'LoadBalancer'")]
  return ingress.flatMap((one, index) => {
    const at = `${path}[${index}]`
    const { ip = '', ipMode, hostname = '' } = one
    const faults = ip === '' ? [] : ipAddress(`${at}.ip`, ip)
    if (ip === '' && ipMode !== undefined)
      faults.push(forbiddenField(`${at}.ipMode`, 'may not be specified when `ip` is not set'))
    else faults.push(...optionalChoice(`${at}.ipMode`, ipMode, ipModes))
    if (hostname === '') return faults
    faults.push(...checked(`${at}.hostname`, hostname, dnsSubdomain))
    if (isIP(hostname) !== 0)
      faults.push(invalidValue(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'))
    return faults
  })
}
