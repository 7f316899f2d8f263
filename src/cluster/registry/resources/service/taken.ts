import type { Service } from 'kubernetes-types/core/v1.js'
import { type IPAddress, labelSelectorOf, matchesLabels } from '../../../../kube/index.ts'
import { type Fault, invalidValue } from '../../faults.ts'
import type { AllOfKind } from '../../resource.ts'
import type { Of } from '../define.ts'
import { isHeadless, needsClusterIP } from './defaults.ts'
import { type AddressSpace, allocatorLabel, noSpace, rangesOf, refusal } from './ranges.ts'

interface Taken {
  readonly addresses: Set<string>
  readonly ports: Set<number>
  /** Addresses that the service itself has already. */
  readonly own: Set<string>
}

const ofAllocator = labelSelectorOf({ matchLabels: allocatorLabel })

/** The addresses and ports of nodes that services have, whatever their namespace; but for those of one service. */
export function takenBy(
  all: AllOfKind,
  { but, space = noSpace }: { readonly but?: string | undefined; readonly space?: AddressSpace } = {},
): Taken {
  const taken: Taken = { addresses: new Set(), ports: new Set(), own: new Set() }
  for (const object of all()) {
    const { spec } = object as Of<Service>
    const isOwn = but !== undefined && object.metadata.uid === but
    for (const address of spec?.clusterIPs ?? []) {
      if (address !== 'None') (isOwn ? taken.own : taken.addresses).add(address)
    }
    if (isOwn) continue
    for (const { nodePort } of spec?.ports ?? []) if (nodePort) taken.ports.add(nodePort)
    if (spec?.healthCheckNodePort) taken.ports.add(spec.healthCheckNodePort)
  }
  // Those of services are known from the services themselves, which are a moment ahead.
  for (const { metadata } of space.addresses() as Iterable<Of<IPAddress>>) {
    if (!matchesLabels(ofAllocator, metadata.labels)) taken.addresses.add(metadata.name ?? '')
  }
  return taken
}

/** No two services share an address, nor a port of the nodes, and their addresses are of the cluster's ranges. */
export function sharedFaults(service: Of<Service>, all: AllOfKind, space: AddressSpace): Fault[] {
  const { spec } = service
  if (!spec || !needsClusterIP(spec) || isHeadless(spec)) return []
  const taken = takenBy(all, { but: service.metadata.uid, space })
  const { clusterIPs = [], ports = [] } = spec
  const asked = clusterIPs.filter((address) => !taken.own.has(address))
  const ranges = asked.length > 0 ? rangesOf(space) : []
  const wrong = asked.flatMap((address) => {
    const why = taken.addresses.has(address) ? 'provided IP is already allocated' : refusal(address, ranges)
    return why
      ? [invalidValue('spec.clusterIPs', clusterIPs, `failed to allocate IP ${address}: ${why}`)]
      : []
  })
  return [
    ...wrong,
    ...ports.flatMap(({ nodePort }, index) =>
      nodePort && taken.ports.has(nodePort)
        ? [invalidValue(`spec.ports[${index}].nodePort`, nodePort, 'provided port is already allocated')]
        : [],
    ),
  ]
}
