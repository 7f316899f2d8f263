import type { Service } from 'kubernetes-types/core/v1.js'
import { type Fault, invalidValue } from '../../faults.ts'
import type { AllOfKind } from '../../resource.ts'
import type { Of } from '../define.ts'
import { isHeadless, needsClusterIP } from './defaults.ts'

interface Taken {
  readonly addresses: Set<string>
  readonly ports: Set<number>
}

/** The addresses and ports of nodes that services have, whatever their namespace; but for those of one service. */
export function takenBy(all: AllOfKind, but?: string): Taken {
  const taken: Taken = { addresses: new Set(), ports: new Set() }
  for (const object of all()) {
    if (but !== undefined && object.metadata.uid === but) continue
    const { spec } = object as Of<Service>
    for (const address of spec?.clusterIPs ?? []) if (address !== 'None') taken.addresses.add(address)
    for (const { nodePort } of spec?.ports ?? []) if (nodePort) taken.ports.add(nodePort)
    if (spec?.healthCheckNodePort) taken.ports.add(spec.healthCheckNodePort)
  }
  return taken
}

/** No two services share an address, nor a port of the nodes. */
export function sharedFaults(service: Of<Service>, all: AllOfKind): Fault[] {
  const { spec } = service
  if (!spec || !needsClusterIP(spec) || isHeadless(spec)) return []
  const taken = takenBy(all, service.metadata.uid)
  const { clusterIPs = [], ports = [] } = spec
  return [
    ...clusterIPs
      .filter((address) => taken.addresses.has(address))
      .map((address) =>
        invalidValue(
          'spec.clusterIPs',
          clusterIPs,
          `failed to allocate IP ${address}: provided IP is already allocated`,
        ),
      ),
    ...ports.flatMap(({ nodePort }, index) =>
      nodePort && taken.ports.has(nodePort)
        ? [invalidValue(`spec.ports[${index}].nodePort`, nodePort, 'provided port is already allocated')]
        : [],
    ),
  ]
}
