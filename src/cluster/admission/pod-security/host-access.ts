import { namesOf, type Subject, type Violation } from './subject.ts'
import { named, plural, quoted, setters } from './wording.ts'

export function hostNamespaces({ spec }: Subject): Violation | undefined {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
  return shared.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: shared.map((field) => `${field}=true`).join(', ') }
}

export function hostPorts(subject: Subject): Violation | undefined {
  const ports = new Set<string>()
  const bad = namesOf(subject, (_, container) => {
    const used = (container.ports ?? []).filter((port) => port.hostPort)
    for (const port of used) ports.add(String(port.hostPort))
    return used.length > 0
  })
  if (bad.length === 0) return undefined
  const noun = plural('hostPort', ports.size)
  return {
    reason: noun,
    detail: `${named(bad)} ${bad.length === 1 ? 'uses' : 'use'} ${noun} ${[...ports].sort().join(', ')}`,
  }
}

export function hostProbes(subject: Subject): Violation | undefined {
  const hosts = new Set<string>()
  const bad = new Set<string>()
  for (const container of subject.containers) {
    const handlers = [
      container.livenessProbe,
      container.readinessProbe,
      container.startupProbe,
      container.lifecycle?.postStart,
      container.lifecycle?.preStop,
    ]
    for (const handler of handlers) {
      for (const host of [handler?.httpGet?.host, handler?.tcpSocket?.host]) {
        if (!host) continue
        hosts.add(host)
        bad.add(container.name)
      }
    }
  }
  return bad.size === 0
    ? undefined
    : {
        reason: 'probe or lifecycle host',
        detail: `${named([...bad].sort())} ${bad.size === 1 ? 'uses' : 'use'} ${plural('probe or lifecycle host', hosts.size)} ${quoted([...hosts].sort())}`,
      }
}

export function windowsHostProcess({ spec, containers }: Subject): Violation | undefined {
  const isPodBad = spec.securityContext?.windowsOptions?.hostProcess === true
  const bad = containers
    .filter((one) => one.securityContext?.windowsOptions?.hostProcess === true)
    .map((one) => one.name)
  const by = setters(isPodBad, bad)
  return by.length === 0
    ? undefined
    : {
        reason: 'hostProcess',
        detail: `${by.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
      }
}
