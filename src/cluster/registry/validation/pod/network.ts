import type { Container, HostAlias, PodDNSConfig, PodSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, required } from '../../faults.ts'
import { checked, ipAddress } from '../checks.ts'
import { byteLength, dnsLabel, dnsSubdomain, dnsSubdomainWithUnderscore } from '../names.ts'

/** What the resolver of Linux takes. */
const most = { nameservers: 3, searches: 32, searchCharacters: 2048 }

export function validateDns(
  path: string,
  config: PodDNSConfig | undefined,
  policy: string | undefined,
): Fault[] {
  if (policy === 'None') {
    if (!config) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    if (!config.nameservers?.length) {
      return [
        required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
      ]
    }
  }
  const { nameservers = [], searches = [], options = [] } = config ?? {}
  const faults: Fault[] = []
  if (nameservers.length > most.nameservers) {
    faults.push(
      invalidValue(
        `${path}.nameservers`,
        nameservers,
        `must not have more than ${most.nameservers} nameservers`,
      ),
    )
  }
  for (const [index, address] of nameservers.entries()) {
    faults.push(...ipAddress(`${path}.nameservers[${index}]`, address))
  }
  if (searches.length > most.searches) {
    faults.push(
      invalidValue(`${path}.searches`, searches, `must not have more than ${most.searches} search paths`),
    )
  }
  if (byteLength(searches.join(' ')) > most.searchCharacters) {
    faults.push(
      invalidValue(
        `${path}.searches`,
        searches,
        `must not have more than ${most.searchCharacters} characters (including spaces) in the search list`,
      ),
    )
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue
    const domain = search.replace(/\.$/, '')
    faults.push(...checked(`${path}.searches[${index}]`, domain, dnsSubdomainWithUnderscore))
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) faults.push(required(`${path}.options[${index}]`, 'must not be empty'))
  }
  return faults
}

export function validateHostAliases(path: string, aliases: readonly HostAlias[]): Fault[] {
  return aliases.flatMap(({ ip, hostnames }, index) => [
    ...ipAddress(`${path}[${index}].ip`, ip ?? ''),
    ...(hostnames ?? []).flatMap((name, position) =>
      checked(`${path}[${index}].hostnames[${position}]`, name, dnsSubdomain),
    ),
  ])
}

type Named = Pick<PodSpec, 'hostname' | 'subdomain' | 'hostNetwork' | 'setHostnameAsFQDN'> & {
  hostnameOverride?: string
}

export function validateHostnames(path: string, spec: Named): Fault[] {
  const { hostname, subdomain, hostnameOverride: override } = spec
  const faults = [
    ...(hostname ? checked(`${path}.hostname`, hostname, dnsLabel) : []),
    ...(subdomain ? checked(`${path}.subdomain`, subdomain, dnsLabel) : []),
  ]
  if (override === undefined) return faults
  const at = `${path}.hostnameOverride`
  if (spec.hostNetwork) faults.push(forbiddenField(at, 'may not be set when `hostNetwork` is true'))
  if (spec.setHostnameAsFQDN) {
    faults.push(forbiddenField(at, 'may not be set when `setHostnameAsFQDN` is true'))
  }
  faults.push(...checked(at, override, dnsSubdomain))
  if (byteLength(override) > 64) faults.push(invalidValue(at, override, 'must be no more than 64 characters'))
  return faults
}

/**
 * On the node's own network a container's port is the node's. Templates may leave the node's port out: it is filled in
 * when a pod is made of them.
 */
export function validateHostNetworkPorts(
  path: string,
  containers: readonly Container[],
  of: 'pod' | 'template',
): Fault[] {
  return containers.flatMap(({ ports = [] }, index) =>
    ports.flatMap(({ hostPort = 0, containerPort }, position) =>
      (of === 'pod' || hostPort !== 0) && hostPort !== containerPort
        ? [
            invalidValue(
              `${path}[${index}].ports[${position}].hostPort`,
              hostPort,
              'must match `containerPort` when `hostNetwork` is true',
            ),
          ]
        : [],
    ),
  )
}
