import { randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import type { Service } from 'kubernetes-types/core/v1.js'
import { addressText } from '../../../../kube/index.ts'
import { same } from '../../validation/equality.ts'
import type { AllOfKind } from '../../resource.ts'
import type { Of } from '../define.ts'
import { isReachableFromOutside, needsClusterIP, needsHealthCheck, needsNodePorts } from './defaults.ts'
import { type AddressSpace, type Range, rangesOf } from './ranges.ts'
import { takenBy } from './taken.ts'

type Spec = NonNullable<Service['spec']>

export const nodePorts = { first: 30_000, end: 32_768 }

/** Gives a service the addresses, families and ports that it needs and does not have. */
export function allocate(service: Of<Service>, all: AllOfKind, space: AddressSpace): void {
  const { spec } = service
  if (!spec || !needsClusterIP(spec)) return
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
  setFamilies(spec)
  if (!spec.clusterIP && !spec.clusterIPs?.length) {
    spec.clusterIP = freeAddress(takenBy(all, { space }).addresses, rangesOf(space))
    spec.clusterIPs = [spec.clusterIP]
  }
  if (needsNodePorts(spec)) {
    const missing = (spec.ports ?? []).filter((port) => !port.nodePort)
    const taken = missing.length > 0 ? takenBy(all).ports : new Set<number>()
    for (const { nodePort } of spec.ports ?? []) if (nodePort) taken.add(nodePort)
    for (const port of missing) {
      port.nodePort = freePort(taken)
      taken.add(port.nodePort)
    }
  }
  if (needsHealthCheck(spec) && !spec.healthCheckNodePort) {
    spec.healthCheckNodePort = freePort(takenBy(all).ports)
  }
}

/** The cluster itself speaks IPv4; what only names endpoints of others may speak both. */
function setFamilies(spec: Spec): void {
  const addresses = spec.clusterIPs ?? []
  const isHeadless = addresses[0] === 'None'
  const hasSelector = Object.keys(spec.selector ?? {}).length > 0
  if (isHeadless && !hasSelector) {
    spec.ipFamilyPolicy ??= spec.ipFamilies?.length === 1 ? 'SingleStack' : 'RequireDualStack'
    if (!spec.ipFamilies?.length) {
      spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' ? ['IPv4'] : ['IPv4', 'IPv6']
    }
    return
  }
  spec.ipFamilyPolicy ??= 'SingleStack'
  if (spec.ipFamilies?.length) return
  const given = isHeadless ? [] : addresses.map((address) => (isIP(address) === 6 ? 'IPv6' : 'IPv4'))
  spec.ipFamilies = given.length > 0 ? given : ['IPv4']
}

/** Any address that no service has; when all are taken, one of them, which validation refuses. */
function freeAddress(taken: ReadonlySet<string>, ranges: readonly Range[]): string {
  let last = ''
  for (const range of ranges) {
    // The upper part first: the lower is for those who choose their address themselves.
    for (const [from, to] of [
      [range.usual, range.last],
      [range.first, range.usual],
    ] as const) {
      const size = to - from + 1
      const start = size > 0 ? randomInt(size) : 0
      for (let step = 0; step < size; step++) {
        last = addressText({ family: 4, bits: BigInt(from + ((start + step) % size)) })
        if (!taken.has(last)) return last
      }
    }
  }
  return last
}

/** Any port of nodes that no service has; when all are taken, one of them, which validation refuses. */
function freePort(taken: ReadonlySet<number>): number {
  const { first, end } = nodePorts
  const start = randomInt(first, end)
  for (let step = 0; step < end - first; step++) {
    const port = first + ((start - first + step) % (end - first))
    if (!taken.has(port)) return port
  }
  return start
}

/** What has been allocated stays, unless the change of the service gives it up. */
export function keepAllocated(service: Of<Service>, old: Of<Service>): void {
  const [spec, before] = [service.spec, old.spec]
  if (!spec || !before) return
  followClusterIP(spec, before)
  if (needsClusterIP(before) && needsClusterIP(spec)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP
    if (!spec.clusterIPs?.length && spec.clusterIP === before.clusterIP && before.clusterIPs) {
      spec.clusterIPs = [...before.clusterIPs]
    }
    if (!spec.ipFamilies?.length && before.ipFamilies) spec.ipFamilies = [...before.ipFamilies]
    if (before.ipFamilyPolicy) spec.ipFamilyPolicy ??= before.ipFamilyPolicy
  }
  if (needsNodePorts(before) && needsNodePorts(spec)) keepNodePorts(spec, before)
  if (needsHealthCheck(before) && needsHealthCheck(spec) && before.healthCheckNodePort) {
    spec.healthCheckNodePort ||= before.healthCheckNodePort
  }
  giveUp(spec, before)
}

/** Who changes only the one address means both fields. */
function followClusterIP(spec: Spec, before: Spec): void {
  if (spec.clusterIP === before.clusterIP || !same(spec.clusterIPs, before.clusterIPs)) return
  if (!spec.clusterIP) delete spec.clusterIPs
  else if (spec.clusterIPs?.[0] !== spec.clusterIP) {
    spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)]
  }
}

function keepNodePorts(spec: Spec, before: Spec): void {
  const taken = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort))
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue
    const was = before.ports?.find((one) => one.port === port.port && one.protocol === port.protocol)
    if (!was?.nodePort || taken.has(was.nodePort)) continue
    port.nodePort = was.nodePort
    taken.add(was.nodePort)
  }
}

/** A service of another type does not take along what only the old type had, unless the user insists on it. */
function giveUp(spec: Spec, before: Spec): void {
  if (needsClusterIP(before) && !needsClusterIP(spec)) {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
      if (same(spec[field], before[field])) delete spec[field]
    }
  }
  if (needsNodePorts(before) && !needsNodePorts(spec)) {
    for (const port of spec.ports ?? []) {
      if (before.ports?.some(({ nodePort }) => nodePort === port.nodePort)) delete port.nodePort
    }
  }
  const only: [field: keyof Spec, isOf: (one: Spec) => boolean][] = [
    ['healthCheckNodePort', needsHealthCheck],
    ['allocateLoadBalancerNodePorts', (one) => one.type === 'LoadBalancer'],
    ['loadBalancerClass', (one) => one.type === 'LoadBalancer'],
    ['externalTrafficPolicy', isReachableFromOutside],
  ]
  for (const [field, isOf] of only) {
    if (isOf(before) && !isOf(spec) && same(spec[field], before[field])) delete spec[field]
  }
}
