import type { EndpointAddress, Endpoints } from 'kubernetes-types/core/v1.js'
import { type Fault, invalidValue, required } from '../faults.ts'
import { checked, ipAddress, ordinaryAddress, requiredChoice } from '../validation/checks.ts'
import { dnsLabel, dnsSubdomain, portNumber, qualifiedName } from '../validation/names.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define, type Of } from './define.ts'

const protocols = ['SCTP', 'TCP', 'UDP']
const mostShown = 3

export const endpoints = define<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  createsOnUpdate: true,
  namespaced: true,
  shortNames: ['ep'],
  setDefaults(object) {
    for (const subset of object.subsets ?? []) {
      for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
    }
  },
  validate(object) {
    const faults: Fault[] = []
    for (const [index, { addresses = [], notReadyAddresses = [], ports = [] }] of (
      object.subsets ?? []
    ).entries()) {
      const path = `subsets[${index}]`
      if (addresses.length + notReadyAddresses.length === 0) {
        faults.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
      }
      for (const [at, address] of addresses.entries()) {
        faults.push(...addressFaults(`${path}.addresses[${at}]`, address))
      }
      for (const [at, address] of notReadyAddresses.entries()) {
        faults.push(...addressFaults(`${path}.notReadyAddresses[${at}]`, address))
      }
      for (const [at, port] of ports.entries()) {
        const portPath = `${path}.ports[${at}]`
        if (port.name) faults.push(...checked(`${portPath}.name`, port.name, dnsLabel))
        else if (ports.length > 1) faults.push(required(`${portPath}.name`))
        for (const text of portNumber(port.port)) {
          faults.push(invalidValue(`${portPath}.port`, port.port, text))
        }
        faults.push(...requiredChoice(`${portPath}.protocol`, port.protocol, protocols))
        if (port.appProtocol) {
          faults.push(...checked(`${portPath}.appProtocol`, port.appProtocol, qualifiedName))
        }
      }
    }
    return faults
  },
  columns: [
    nameColumn,
    column(
      'Endpoints',
      'The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs they share. A single address with multiple ports, some of which are ready and some of which are not (because they come from different containers) will result in the address being displayed in different subsets for the different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of addresses and ports that comprise a service.',
      endpointsText,
    ),
    ageColumn,
  ],
})

function addressFaults(path: string, { ip, hostname, nodeName }: EndpointAddress): Fault[] {
  return [
    ...ipAddress(`${path}.ip`, ip),
    ...(hostname ? checked(`${path}.hostname`, hostname, dnsLabel) : []),
    ...(nodeName ? checked(`${path}.nodeName`, nodeName, dnsSubdomain) : []),
    ...ordinaryAddress(`${path}.ip`, ip),
  ]
}

function endpointsText({ subsets }: Of<Endpoints>): string {
  if (!subsets?.length) return '<none>'
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) =>
          addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
        ),
  )
  const shown = all.slice(0, mostShown).join(',')
  return all.length > mostShown ? `${shown} + ${all.length - mostShown} more...` : shown
}
