import type { Container } from '../../../kube/index.ts'
import { isWindows, namesOf, type Subject, type Violation } from './subject.ts'
import { named, quoted, setters } from './wording.ts'

export function privileged(subject: Subject): Violation | undefined {
  const bad = namesOf(subject, (context) => context.privileged === true)
  return bad.length === 0
    ? undefined
    : { reason: 'privileged', detail: `${named(bad)} must not set securityContext.privileged=true` }
}

export function allowPrivilegeEscalation(subject: Subject): Violation | undefined {
  if (isWindows(subject)) return undefined
  const bad = namesOf(subject, (context) => context.allowPrivilegeEscalation !== false)
  return bad.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`,
      }
}

export function procMount(subject: Subject): Violation | undefined {
  const types = new Set<string>()
  const bad = namesOf(subject, ({ procMount: type }) => {
    if (type === undefined || type === 'Default') return false
    types.add(type)
    return true
  })
  return bad.length === 0
    ? undefined
    : {
        reason: 'procMount',
        detail: `${named(bad)} must not set securityContext.procMount to ${quoted([...types].sort())}`,
      }
}

export function runAsNonRoot({ spec, containers }: Subject): Violation | undefined {
  const ofPod = spec.securityContext?.runAsNonRoot
  const stated = (container: Container): boolean | undefined => container.securityContext?.runAsNonRoot
  const explicit = containers.filter((one) => stated(one) === false).map((one) => one.name)
  const by = setters(ofPod === false, explicit)
  const reason = 'runAsNonRoot != true'
  if (by.length > 0) {
    return { reason, detail: `${by.join(' and ')} must not set securityContext.runAsNonRoot=false` }
  }
  if (ofPod === true) return undefined
  const silent = containers.filter((one) => stated(one) === undefined).map((one) => one.name)
  return silent.length === 0
    ? undefined
    : { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` }
}

export function runAsUser({ spec, containers }: Subject): Violation | undefined {
  const by = setters(
    spec.securityContext?.runAsUser === 0,
    containers.filter((one) => one.securityContext?.runAsUser === 0).map((one) => one.name),
  )
  return by.length === 0
    ? undefined
    : { reason: 'runAsUser=0', detail: `${by.join(' and ')} must not set runAsUser=0` }
}
