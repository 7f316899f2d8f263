import { type Fault, invalidValue, required, tooLong } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { byteLength, cIdentifierName, dnsLabel, dnsSubdomain } from '../../validation/names.ts'
import { csiDriverName } from '../../validation/volume-sources/vendors.ts'

const longestId = 32
const longestPool = 253

/** Names of drivers are as those of CSI drivers. */
export const driverFaults = csiDriverName

export function labelFaults(path: string, name: string | undefined): Fault[] {
  return name ? checked(path, name, dnsLabel) : [required(path)]
}

/** Subdomains between slashes. */
export function poolFaults(path: string, name: string | undefined): Fault[] {
  if (!name) return [required(path)]
  const faults = byteLength(name) > longestPool ? [tooLong(path, longestPool)] : []
  return [...faults, ...name.split('/').flatMap((part) => checked(path, part, dnsSubdomain))]
}

/** An identifier, of a driver's own domain or behind another. */
export function attributeNameFaults(path: string, name: string): Fault[] {
  const parts = name.split('/')
  if (parts.length > 2) return [invalidValue(path, name, 'must not contain more than one slash')]
  const [first = '', second] = parts
  if (second === undefined) return identifierFaults(path, first)
  return [
    ...(first ? driverFaults(path, first) : [invalidValue(path, '', 'the domain must not be empty')]),
    ...(second ? identifierFaults(path, second) : [invalidValue(path, '', 'the name must not be empty')]),
  ]
}

export function fullNameFaults(path: string, name: string): Fault[] {
  const faults = attributeNameFaults(path, name)
  const text = 'a fully qualified name must be a domain and a name separated by a slash'
  return name.includes('/') ? faults : [...faults, invalidValue(path, name, text)]
}

function identifierFaults(path: string, id: string): Fault[] {
  const faults = byteLength(id) > longestId ? [tooLong(path, longestId)] : []
  return [...faults, ...checked(path, id, cIdentifierName)]
}
