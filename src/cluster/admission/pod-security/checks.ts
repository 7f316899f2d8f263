import type { Container, Pod } from '../../../kube/index.ts'
import { baselineCapabilitiesOnly, restrictedCapabilitiesOnly } from './capabilities.ts'
import { hostNamespaces, hostPorts, hostProbes, windowsHostProcess } from './host-access.ts'
import { appArmorProfile, requiredSeccompProfile, seccompProfile, seLinuxOptions } from './kernel-profiles.ts'
import type { Level, Standard } from './level.ts'
import { allowPrivilegeEscalation, privileged, procMount, runAsNonRoot, runAsUser } from './privileges.ts'
import { isUserNamespaced, type Subject, type Violation } from './subject.ts'
import { sysctls } from './sysctls.ts'
import { hostPathVolumes, restrictedVolumes } from './volumes.ts'

interface Check {
  readonly level: Exclude<Level, 'privileged'>
  /** Minor version that brought the check. */
  readonly since: number
  /** The restricted level has a stricter check from this minor version on. */
  readonly overriddenSince?: number
  run(subject: Subject): Violation | undefined
}

/**
 * Every violation of a pod, in the order in which Kubernetes lists them and worded as kube-apiserver 1.36 words them
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
 */
export function violations(pod: Pick<Pod, 'metadata' | 'spec'>, standard: Standard): Violation[] {
  const { spec } = pod
  if (standard.level === 'privileged' || spec === undefined) return []
  const subject: Subject = {
    spec,
    annotations: pod.metadata?.annotations ?? {},
    containers: [
      ...(spec.initContainers ?? []),
      ...(spec.containers ?? []),
      ...((spec.ephemeralContainers ?? []) as Container[]),
    ],
    version: standard.version === 'latest' ? Number.POSITIVE_INFINITY : standard.version,
  }
  const found: Violation[] = []
  for (const check of checks) {
    if (check.since > subject.version) continue
    if (check.level === 'restricted' && standard.level !== 'restricted') continue
    const isOverridden = check.overriddenSince !== undefined && check.overriddenSince <= subject.version
    if (isOverridden && standard.level === 'restricted') continue
    const violation = check.run(subject)
    if (violation !== undefined) found.push(violation)
  }
  return found
}

// Kubernetes sorts by the check's id, the baseline level first.
const checks: readonly Check[] = [
  { level: 'baseline', since: 0, run: appArmorProfile },
  { level: 'baseline', since: 0, overriddenSince: 22, run: baselineCapabilitiesOnly },
  { level: 'baseline', since: 0, run: hostNamespaces },
  { level: 'baseline', since: 0, overriddenSince: 0, run: hostPathVolumes },
  { level: 'baseline', since: 0, run: hostPorts },
  { level: 'baseline', since: 34, run: hostProbes },
  { level: 'baseline', since: 0, run: privileged },
  {
    level: 'baseline',
    since: 0,
    run: (subject) => (isUserNamespaced(subject) ? undefined : procMount(subject)),
  },
  { level: 'baseline', since: 0, run: seLinuxOptions },
  { level: 'baseline', since: 0, overriddenSince: 19, run: (subject) => seccompProfile(subject) },
  { level: 'baseline', since: 0, run: sysctls },
  { level: 'baseline', since: 0, run: windowsHostProcess },
  { level: 'restricted', since: 8, run: allowPrivilegeEscalation },
  { level: 'restricted', since: 22, run: restrictedCapabilitiesOnly },
  { level: 'restricted', since: 35, run: procMount },
  { level: 'restricted', since: 0, run: restrictedVolumes },
  {
    level: 'restricted',
    since: 0,
    run: (subject) => (isUserNamespaced(subject) ? undefined : runAsNonRoot(subject)),
  },
  {
    level: 'restricted',
    since: 23,
    run: (subject) => (isUserNamespaced(subject) ? undefined : runAsUser(subject)),
  },
  { level: 'restricted', since: 19, run: requiredSeccompProfile },
]
