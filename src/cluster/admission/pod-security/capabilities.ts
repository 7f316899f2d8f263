import { isWindows, namesOf, type Subject, type Violation } from './subject.ts'
import { named, quoted } from './wording.ts'

const baselineCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

export function baselineCapabilitiesOnly(subject: Subject): Violation | undefined {
  const extra = new Set<string>()
  const bad = namesOf(subject, ({ capabilities }) => {
    const added = (capabilities?.add ?? []).filter((one) => !baselineCapabilities.has(one))
    for (const one of added) extra.add(one)
    return added.length > 0
  })
  return bad.length === 0
    ? undefined
    : {
        reason: 'non-default capabilities',
        detail: `${named(bad)} must not include ${quoted([...extra].sort())} in securityContext.capabilities.add`,
      }
}

export function restrictedCapabilitiesOnly(subject: Subject): Violation | undefined {
  if (isWindows(subject)) return undefined
  const extra = new Set<string>()
  const keeping = namesOf(subject, ({ capabilities }) => !capabilities?.drop?.includes('ALL'))
  const adding = namesOf(subject, ({ capabilities }) => {
    const added = (capabilities?.add ?? []).filter((one) => one !== 'NET_BIND_SERVICE')
    for (const one of added) extra.add(one)
    return added.length > 0
  })
  const details: string[] = []
  if (keeping.length > 0) details.push(`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`)
  if (adding.length > 0) {
    details.push(
      `${named(adding)} must not include ${quoted([...extra].sort())} in securityContext.capabilities.add`,
    )
  }
  return details.length === 0
    ? undefined
    : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}
