import { isIPv4, isIPv6 } from 'node:net'
import type { Endpoint, EndpointSlice } from 'kubernetes-types/discovery/v1.js'
import { duplicate, type Fault, invalidValue, required } from '../faults.ts'
import { checked, ordinaryAddress, requiredChoice, tooMany } from '../validation/checks.ts'
import { immutableField } from '../validation/metadata.ts'
import { dnsLabel, dnsSubdomain, qualifiedName } from '../validation/names.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define, type Of } from './define.ts'

const mostShown = 3
const mostEndpoints = 1000
const mostAddresses = 100
const mostPorts = 20_000

export const endpointSlices = define<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  tracksGeneration: true,
  setDefaults(object) {
    for (const port of object.ports ?? []) {
      port.name ??= ''
      port.protocol ||= 'TCP'
    }
    for (const endpoint of object.endpoints ?? []) endpoint.conditions ??= {}
    // Go writes these lists even when there are none.
    const open: Record<string, unknown> = object
    open['endpoints'] ??= null
    open['ports'] ??= null
  },
  validate: (object) => [
    ...requiredChoice('addressType', object.addressType, ['FQDN', 'IPv4', 'IPv6']),
    ...endpointsFaults(object),
    ...portFaults(object),
  ],
  validateUpdate: (object, old) => immutableField('addressType', object.addressType, old.addressType),
  columns: [
    nameColumn,
    column(
      'AddressType',
      'addressType specifies the type of address carried by this EndpointSlice. All addresses in this slice must be the same type. This field is immutable after creation. The following address types are currently supported: * IPv4: Represents an IPv4 Address. * IPv6: Represents an IPv6 Address. * FQDN: Represents a Fully Qualified Domain Name.',
      (object) => object.addressType,
    ),
    column(
      'Ports',
      'ports specifies the list of network ports exposed by each endpoint in this slice. Each port must have a unique name. When ports is empty, it indicates that there are no defined ports. When a port is defined with a nil port value, it indicates "all ports". Each slice may include a maximum of 100 ports.',
      (object) => firstOf((object.ports ?? []).map(({ port, name }) => String(port ?? (name || '*')))),
    ),
    column(
      'Endpoints',
      'endpoints is a list of unique endpoints in this slice. Each slice may include a maximum of 1000 endpoints.',
      (object) => firstOf((object.endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    ),
    ageColumn,
  ],
})

function firstOf(list: readonly string[]): string {
  const shown = list.slice(0, mostShown).join(',')
  if (list.length > mostShown) return `${shown} + ${list.length - mostShown} more...`
  return shown === '' ? '<unset>' : shown
}

function endpointsFaults(slice: Of<EndpointSlice>): Fault[] {
  const all = slice.endpoints ?? []
  if (all.length > mostEndpoints) return [tooMany('endpoints', all.length, mostEndpoints)]
  return all.flatMap((endpoint, index) => endpointFaults(`endpoints[${index}]`, endpoint, slice.addressType))
}

function endpointFaults(path: string, endpoint: Endpoint, type: string): Fault[] {
  const addresses = endpoint.addresses ?? []
  const at = `${path}.addresses`
  const faults: Fault[] = []
  if (addresses.length === 0) faults.push(required(at, 'must contain at least 1 address'))
  if (addresses.length > mostAddresses) faults.push(tooMany(at, addresses.length, mostAddresses))
  for (const [index, address] of addresses.entries()) {
    faults.push(...addressFaults(`${at}[${index}]`, address, type))
  }
  if (endpoint.hostname) faults.push(...checked(`${path}.hostname`, endpoint.hostname, dnsLabel))
  if (endpoint.nodeName) faults.push(...checked(`${path}.nodeName`, endpoint.nodeName, dnsSubdomain))
  return faults
}

function addressFaults(path: string, address: string, type: string): Fault[] {
  if (type === 'IPv4') {
    const family = isIPv4(address) ? [] : [invalidValue(path, address, 'must be a valid IPv4 address')]
    return [...family, ...ordinaryAddress(path, address)]
  }
  if (type === 'IPv6') {
    const family = isIPv6(address) ? [] : [invalidValue(path, address, 'must be a valid IPv6 address')]
    return [...family, ...ordinaryAddress(path, address)]
  }
  return type === 'FQDN' ? checked(path, address, dnsSubdomain) : []
}

function portFaults(slice: Of<EndpointSlice>): Fault[] {
  const ports = slice.ports ?? []
  if (ports.length > mostPorts) return [tooMany('ports', ports.length, mostPorts)]
  const faults: Fault[] = []
  const names = new Set<string>()
  for (const [index, { name = '', protocol, appProtocol }] of ports.entries()) {
    const path = `ports[${index}]`
    if (name) faults.push(...checked(`${path}.name`, name, dnsLabel))
    if (names.has(name)) faults.push(duplicate(`${path}.name`, name))
    names.add(name)
    faults.push(...requiredChoice(`${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']))
    if (appProtocol) faults.push(...checked(`${path}.appProtocol`, appProtocol, qualifiedName))
  }
  return faults
}
