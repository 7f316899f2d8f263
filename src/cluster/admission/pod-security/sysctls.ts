import { safeSysctls } from '../../../kube/index.ts'
import type { Subject, Violation } from './subject.ts'

export function sysctls({ spec, version }: Subject): Violation | undefined {
  const bad = (spec.securityContext?.sysctls ?? [])
    .map((one) => one.name)
    .filter((name) => !Object.hasOwn(safeSysctls, name) || (safeSysctls[name] ?? 0) > version)
  return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
}
