import type { Admission, Admitter } from '../registry/index.ts'
import { type Container, invalid, type KubeObject, type Pod } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { violations } from './pod-security/checks.ts'
import {
  compareLevels,
  type NamespacePolicy,
  nameOfStandard,
  policyOf,
  type Standard,
} from './pod-security/level.ts'
import type { Violation } from './pod-security/subject.ts'
import { describe } from './pod-security/wording.ts'
import { refused, resourceOf } from './refusal.ts'

const annotations = 'pod-security.kubernetes.io/'
// These change nothing about what a pod may do on its node.
const harmless = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])
// A namespace with more pods than this is checked in part when its level rises, as in Kubernetes.
const mostPodsChecked = 3000

/** Resources that carry a pod template, and where. */
const templates: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': ['spec', 'template'],
  'apps/deployments': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
}

/** Holds pods to the Pod Security level that the labels of their namespace name. */
export function podSecurity({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  function policyFor(admission: Admission): NamespacePolicy {
    const { namespace } = admission.request
    return policyOf(reader.get('/namespaces', undefined, namespace ?? '')?.metadata.labels)
  }

  function checkPod(admission: Admission, object: KubeObject): void {
    const policy = policyFor(admission)
    if (isPrivileged(policy)) return
    const pod = object as Pod
    const before = admission.oldObject as Pod | undefined
    if (admission.operation === 'UPDATE' && before !== undefined && !isSignificant(pod, before)) return
    admission.request.annotate?.(`${annotations}enforce-policy`, nameOfStandard(policy.enforce))
    const found = violations(pod, policy.enforce)
    audit(admission, pod, policy)
    if (found.length > 0) {
      throw refused(
        admission,
        `violates PodSecurity ${JSON.stringify(nameOfStandard(policy.enforce))}: ${describe(found)}`,
      )
    }
    warn(admission, pod, policy)
  }

  function checkNamespace(admission: Admission, object: KubeObject): void {
    const policy = policyOf(object.metadata.labels)
    const before =
      admission.oldObject === undefined ? undefined : policyOf(admission.oldObject.metadata.labels)
    if (policy.faults.length > 0 && JSON.stringify(policy.faults) !== JSON.stringify(before?.faults)) {
      throw invalid({ kind: 'Namespace', name: object.metadata.name ?? '' }, [...policy.faults])
    }
    if (before === undefined || !isStricter(policy.enforce, before.enforce)) return
    const namespace = object.metadata.name ?? ''
    for (const line of warningsForExisting(reader.list('/pods', namespace), namespace, policy.enforce)) {
      admission.request.warn(line)
    }
  }

  return {
    name: 'PodSecurity',
    validate(admission: Admission): void {
      const { operation, request, object } = admission
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || object === undefined) return
      const resource = resourceOf(admission)
      if (resource === '/pods') {
        if (!harmless.has(request.subresource ?? '')) checkPod(admission, object)
        return
      }
      if (request.subresource !== undefined) return
      if (resource === '/namespaces') return checkNamespace(admission, object)
      const path = templates[resource]
      if (path === undefined) return
      const policy = policyFor(admission)
      if (isPrivileged(policy)) return
      const template = valueAt(object, path)
      // What a controller makes of the template is refused pod by pod; here the author is told in time.
      if (template === undefined) return
      audit(admission, template as Pod, policy)
      warn(admission, template as Pod, policy)
    },
  }
}

function warn(admission: Admission, pod: Pod, { warn: standard }: NamespacePolicy): void {
  const found = violations(pod, standard)
  if (found.length === 0) return
  admission.request.warn(wouldViolate(standard, found))
}

function audit({ request }: Admission, pod: Pod, { audit: standard }: NamespacePolicy): void {
  const found = request.annotate === undefined ? [] : violations(pod, standard)
  if (found.length > 0) request.annotate?.(`${annotations}audit-violations`, wouldViolate(standard, found))
}

function wouldViolate(standard: Standard, found: readonly Violation[]): string {
  return `would violate PodSecurity ${JSON.stringify(nameOfStandard(standard))}: ${describe(found)}`
}

function isPrivileged({ enforce, audit, warn: warns }: NamespacePolicy): boolean {
  return [enforce, audit, warns].every((standard) => standard.level === 'privileged')
}

/** Of what may change in a pod, only new images and profiles in annotations matter to the standard. */
function isSignificant(pod: Pod, before: Pod): boolean {
  const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const
  for (const list of lists) {
    const [now, then] = [(pod.spec?.[list] ?? []) as Container[], (before.spec?.[list] ?? []) as Container[]]
    if (now.length !== then.length) return true
    if (now.some((container, index) => container.image !== then[index]?.image)) return true
  }
  const marks = ({ metadata }: Pod): string =>
    JSON.stringify(
      Object.entries(metadata?.annotations ?? {})
        .filter(([key]) => key.startsWith('container.apparmor.') || key.includes('seccomp.security.alpha.'))
        .sort(),
    )
  return marks(pod) !== marks(before)
}

/** Could pods that were fine before be in violation now? */
function isStricter(now: Standard, before: Standard): boolean {
  if (now.level === 'privileged') return false
  if (now.version === before.version) return compareLevels(now.level, before.level) > 0
  return true
}

function warningsForExisting(pods: Iterable<KubeObject>, namespace: string, standard: Standard): string[] {
  const names = new Map<string, string[]>()
  let checked = 0
  for (const pod of pods) {
    if (++checked > mostPodsChecked) break
    const found = violations(pod as Pod, standard)
    if (found.length === 0) continue
    const reasons = found.map(({ reason }) => reason).join(', ')
    names.set(reasons, [...(names.get(reasons) ?? []), pod.metadata.name ?? ''])
  }
  if (names.size === 0) return []
  const lines = [...names].map(([reasons, list]) => {
    const first = [...list].sort()[0] ?? ''
    const others = list.length - 1
    if (others === 0) return `${first}: ${reasons}`
    return `${first} (and ${others} other ${others === 1 ? 'pod' : 'pods'}): ${reasons}`
  })
  return [
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(nameOfStandard(standard))}`,
    ...lines.sort(),
  ]
}

function valueAt(object: unknown, path: readonly string[]): object | undefined {
  let value = object
  for (const field of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[field]
  }
  return typeof value === 'object' && value !== null ? value : undefined
}
