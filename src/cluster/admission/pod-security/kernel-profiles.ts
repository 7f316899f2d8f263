import { isWindows, namesOf, type SecurityContext, type Subject, type Violation } from './subject.ts'
import { named, plural, quoted, setters } from './wording.ts'

/** SELinux types with the minor version of the standard since which they count as safe. */
const safeSeLinuxTypes: Readonly<Record<string, number>> = {
  '': 0,
  container_t: 0,
  container_init_t: 0,
  container_kvm_t: 0,
  container_engine_t: 31,
}

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/'

export function appArmorProfile({ spec, annotations, containers }: Subject): Violation | undefined {
  const isAllowed = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost'
  const typeOf = (context: object | undefined): string | undefined =>
    (context as { appArmorProfile?: { type: string } } | undefined)?.appArmorProfile?.type
  const values = new Set<string>()
  const podType = typeOf(spec.securityContext)
  const isPodBad = podType !== undefined && !isAllowed(podType)
  if (isPodBad) values.add(podType)
  const bad: string[] = []
  for (const container of containers) {
    const type = typeOf(container.securityContext)
    if (type === undefined || isAllowed(type)) continue
    bad.push(container.name)
    values.add(type)
  }
  const marks = Object.entries(annotations)
    .filter(
      ([key, value]) =>
        key.startsWith(appArmorAnnotation) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort()
  const by = setters(isPodBad, bad)
  if (marks.length > 0) by.push(plural('annotation', marks.length))
  if (by.length === 0) return undefined
  const all = [...[...values].sort(), ...marks]
  return {
    reason: `forbidden AppArmor ${plural('profile', all.length)}`,
    detail: `${by.join(' and ')} must not set AppArmor profile type to ${quoted(all)}`,
  }
}

export function seLinuxOptions({ spec, containers, version }: Subject): Violation | undefined {
  const types = new Set<string>()
  let setsUser = false
  let setsRole = false
  const isBad = (options: SecurityContext['seLinuxOptions']): boolean => {
    if (options === undefined) return false
    const type = options.type ?? ''
    const since = Object.hasOwn(safeSeLinuxTypes, type) ? safeSeLinuxTypes[type] : undefined
    const isTypeBad = since === undefined || since > version
    if (isTypeBad) types.add(type)
    if (options.user) setsUser = true
    if (options.role) setsRole = true
    return isTypeBad || Boolean(options.user) || Boolean(options.role)
  }
  const isPodBad = isBad(spec.securityContext?.seLinuxOptions)
  const bad = containers.filter((one) => isBad(one.securityContext?.seLinuxOptions)).map((one) => one.name)
  const by = setters(isPodBad, bad)
  if (by.length === 0) return undefined
  const data = [
    ...(types.size > 0 ? [`${plural('type', types.size)} ${quoted([...types].sort())}`] : []),
    ...(setsUser ? ['user may not be set'] : []),
    ...(setsRole ? ['role may not be set'] : []),
  ]
  return {
    reason: 'seLinuxOptions',
    detail: `${by.join(' and ')} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
  }
}

export function seccompProfile({ spec, containers }: Subject): Violation | undefined {
  const values = new Set<string>()
  const isBad = (profile: SecurityContext['seccompProfile']): boolean => {
    if (profile === undefined || isSeccompAllowed(profile.type)) return false
    values.add(profile.type)
    return true
  }
  const isPodBad = isBad(spec.securityContext?.seccompProfile)
  const bad = containers.filter((one) => isBad(one.securityContext?.seccompProfile)).map((one) => one.name)
  const by = setters(isPodBad, bad)
  return by.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `${by.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted([...values].sort())}`,
      }
}

/** The restricted level wants a profile said, by the pod or by every container. */
export function requiredSeccompProfile(subject: Subject): Violation | undefined {
  if (isWindows(subject)) return undefined
  const explicit = seccompProfile(subject)
  if (explicit !== undefined) return explicit
  if (subject.spec.securityContext?.seccompProfile !== undefined) return undefined
  const bad = namesOf(subject, (context) => context.seccompProfile === undefined)
  return bad.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${named(bad)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      }
}

function isSeccompAllowed(type: string | undefined): boolean {
  return type === 'RuntimeDefault' || type === 'Localhost'
}
