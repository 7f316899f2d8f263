import type { HTTPIngressPath, Ingress, IngressBackend, IngressTLS } from 'kubernetes-types/networking/v1.js'
import { isIP } from 'node:net'
import { type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import { checked, ipAddress } from '../../validation/checks.ts'
import {
  dns1035Label,
  dnsSubdomain,
  portName,
  portNumber,
  wildcardSubdomain,
} from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define, type Of } from '../define.ts'
import { localReferenceFaults } from './local-reference.ts'

const classAnnotation = 'kubernetes.io/ingress.class'
const notAnAddress = 'must be a DNS name, not an IP address'

export const ingresses = define<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
  shortNames: ['ing'],
  hasStatus: true,
  tracksGeneration: true,
  setDefaults(object) {
    object.spec ??= {}
    object.status ??= {}
    object.status.loadBalancer ??= {}
  },
  prepareForCreate(object) {
    object.status = { loadBalancer: {} }
  },
  validate(object, request) {
    const { defaultBackend, rules = [], tls = [], ingressClassName } = object.spec ?? {}
    const faults: Fault[] = []
    if (rules.length === 0 && !defaultBackend) {
      faults.push(
        invalidValue(
          'spec',
          object.spec?.rules ?? null,
          'either `defaultBackend` or `rules` must be specified',
        ),
      )
    }
    if (defaultBackend) faults.push(...backendFaults('spec.defaultBackend', defaultBackend))
    for (const [index, { host, http }] of rules.entries()) {
      const at = `spec.rules[${index}]`
      if (host) faults.push(...hostFaults(`${at}.host`, host))
      if (!http) continue
      if (!http.paths?.length) faults.push(required(`${at}.http.paths`))
      for (const [position, path] of (http.paths ?? []).entries()) {
        faults.push(...pathFaults(`${at}.http.paths[${position}]`, path))
      }
    }
    for (const [index, entry] of tls.entries()) faults.push(...tlsFaults(`spec.tls[${index}]`, entry))
    if (ingressClassName !== undefined) {
      faults.push(...checked('spec.ingressClassName', ingressClassName, dnsSubdomain))
    }
    if (request.verb === 'create') faults.push(...annotationFaults(object))
    return faults
  },
  validateStatus: ({ status }) =>
    (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
      const at = `status.loadBalancer.ingress[${index}]`
      const faults = ip ? ipAddress(`${at}.ip`, ip) : []
      if (!hostname) return faults
      faults.push(...checked(`${at}.hostname`, hostname, dnsSubdomain))
      if (isIP(hostname) !== 0) faults.push(invalidValue(`${at}.hostname`, hostname, notAnAddress))
      return faults
    }),
  columns: [
    nameColumn,
    column(
      'Class',
      'The name of the IngressClass resource that should be used for additional configuration',
      ({ spec }) => spec?.ingressClassName ?? '<none>',
    ),
    column('Hosts', 'Hosts that incoming requests are matched against before the ingress rule', hostsText),
    column('Address', 'Address is a list containing ingress points for the load-balancer', ({ status }) => {
      const points = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '')
      return [...new Set(points.filter((point) => point !== ''))].sort().join(',')
    }),
    column('Ports', 'Ports of TLS configurations that open', ({ spec }) =>
      spec?.tls?.length ? '80, 443' : '80',
    ),
    ageColumn,
  ],
})

const mostHosts = 3

function hostsText({ spec }: Of<Ingress>): string {
  const rules = spec?.rules ?? []
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []))
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, mostHosts).join(',')
  return hosts.length > mostHosts ? `${shown} + ${rules.length - mostHosts} more...` : shown
}

function annotationFaults({ metadata, spec }: Of<Ingress>): Fault[] {
  const annotation = metadata.annotations?.[classAnnotation]
  const name = spec?.ingressClassName
  if (annotation === undefined || name === undefined || annotation === name) return []
  const text = 'must match `ingressClassName` when both are specified'
  return [invalidValue(`annotations.${classAnnotation}`, annotation, text)]
}

function hostFaults(path: string, host: string): Fault[] {
  if (isIP(host) !== 0) return [invalidValue(path, host, notAnAddress), ...nameFaults(path, host)]
  return nameFaults(path, host)
}

function nameFaults(path: string, host: string): Fault[] {
  return checked(path, host, host.includes('*') ? wildcardSubdomain : dnsSubdomain)
}

function tlsFaults(path: string, { hosts = [], secretName }: IngressTLS): Fault[] {
  return [
    ...hosts.flatMap((host, index) => nameFaults(`${path}.hosts[${index}]`, host)),
    ...(secretName ? checked(`${path}.secretName`, secretName, dnsSubdomain) : []),
  ]
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badEnds = ['/..', '/.']

function pathFaults(at: string, { path = '', pathType, backend }: HTTPIngressPath): Fault[] {
  // Decoding lets a path without a type pass: what is missing is said here.
  const type: string | undefined = pathType
  if (type === undefined) return [required(`${at}.pathType`, 'pathType must be specified')]
  const faults: Fault[] = []
  if (!pathTypes.includes(type)) faults.push(notSupported(`${at}.pathType`, type, pathTypes))
  else {
    const isMatched = type !== 'ImplementationSpecific'
    if (!path.startsWith('/') && (isMatched || path !== '')) {
      faults.push(invalidValue(`${at}.path`, path, 'must be an absolute path'))
    }
    for (const bad of isMatched ? badSequences : []) {
      if (path.includes(bad)) faults.push(invalidValue(`${at}.path`, path, `must not contain '${bad}'`))
    }
    for (const bad of isMatched ? badEnds : []) {
      if (path.endsWith(bad)) faults.push(invalidValue(`${at}.path`, path, `cannot end with '${bad}'`))
    }
  }
  return [...faults, ...backendFaults(`${at}.backend`, backend ?? {})]
}

function backendFaults(path: string, { resource, service }: IngressBackend): Fault[] {
  if (resource && service) {
    return [invalidValue(path, '', 'cannot set both resource and service backends')]
  }
  if (resource) return localReferenceFaults(`${path}.resource`, resource)
  if (!service) return [invalidValue(path, '', 'resource or service backend is required')]
  const faults = service.name
    ? checked(`${path}.service.name`, service.name, dns1035Label)
    : [required(`${path}.service.name`)]
  const { name, number } = service.port ?? {}
  if (name && number) faults.push(invalidValue(path, '', 'cannot set both port name & port number'))
  else if (name) faults.push(...checked(`${path}.service.port.name`, name, portName))
  else if (number) {
    faults.push(
      ...portNumber(number).map((text) => invalidValue(`${path}.service.port.number`, number, text)),
    )
  } else faults.push(required(path, 'port name or number is required'))
  return faults
}
