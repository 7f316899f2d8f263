import type { Reader, UserInfo } from '../../registry/index.ts'
import type { KubeObject } from '../../../kube/index.ts'
import { notFound, type StatusError } from '../../../kube/index.ts'
import { accountUserName } from '../users.ts'
import { type PolicyRule, rulesOf } from './policy-rule.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'
const roles = `${rbacGroup}/roles`
const clusterRoles = `${rbacGroup}/clusterroles`
const roleBindings = `${rbacGroup}/rolebindings`
const clusterRoleBindings = `${rbacGroup}/clusterrolebindings`
/** Namespaces remembered for one user before all are forgotten: bounds the memory of a user who walks through thousands. */
const namespacesPerUser = 512

export interface RoleRef {
  readonly apiGroup: string
  readonly kind: string
  readonly name: string
}

/** A rule and the binding that gives it. */
export interface HeldRule {
  readonly rule: PolicyRule
  /** `RoleBinding "b/ns" of Role "r" to User "u"`. */
  readonly source: string
}

/** All that a user holds in one namespace (cluster-wide rules included). */
export interface HeldRules {
  readonly rules: readonly HeldRule[]
  /** Bindings whose role is missing. */
  readonly faults: readonly string[]
}

export interface RuleResolver {
  /** Without a namespace: what is held cluster-wide. Kept per user object until any role or binding changes. */
  heldBy(user: UserInfo, namespace: string | undefined): HeldRules
  /**
   * The rules of a role that a binding in a namespace ('' for cluster role bindings) refers to.
   *
   * @throws {StatusError} `NotFound`.
   */
  ofRole(ref: RoleRef, namespace: string | undefined): readonly PolicyRule[]
}

export function createRuleResolver(reader: Reader): RuleResolver {
  let held = new WeakMap<UserInfo, Map<string, HeldRules>>()
  let seen: readonly number[] = []

  /** Forgets everything when a role or binding has changed since the last question. */
  function refresh(): void {
    const now = [
      reader.version(roles),
      reader.version(clusterRoles),
      reader.version(roleBindings),
      reader.version(clusterRoleBindings),
    ]
    if (now.every((version, index) => version === seen[index])) return
    seen = now
    held = new WeakMap()
  }

  function ofRole(ref: RoleRef, namespace: string | undefined): readonly PolicyRule[] {
    const role =
      ref.kind === 'Role'
        ? reader.get(roles, namespace ?? '', ref.name)
        : reader.get(clusterRoles, undefined, ref.name)
    if (!role) throw missingRole(ref)
    return rulesOf(role)
  }

  function collect(user: UserInfo, namespace: string): HeldRules {
    const rules: HeldRule[] = []
    const faults: string[] = []
    const add = (binding: KubeObject, kind: string, bindingNamespace: string): void => {
      const subject = subjectsOf(binding).find((one) => appliesTo(one, user, bindingNamespace))
      if (!subject) return
      const ref = roleRefOf(binding)
      const role =
        ref.kind === 'Role'
          ? reader.get(roles, bindingNamespace, ref.name)
          : reader.get(clusterRoles, undefined, ref.name)
      if (!role) {
        faults.push(missingRole(ref).message)
        return
      }
      const name = bindingNamespace
        ? `${binding.metadata.name ?? ''}/${bindingNamespace}`
        : (binding.metadata.name ?? '')
      const source = `${kind} ${JSON.stringify(name)} of ${ref.kind} ${JSON.stringify(ref.name)} to ${describeSubject(subject, bindingNamespace)}`
      for (const rule of rulesOf(role)) rules.push({ rule, source })
    }
    for (const binding of reader.list(clusterRoleBindings)) add(binding, 'ClusterRoleBinding', '')
    if (namespace)
      for (const binding of reader.list(roleBindings, namespace)) add(binding, 'RoleBinding', namespace)
    return { rules, faults }
  }

  return {
    heldBy(user, namespace = '') {
      refresh()
      let byNamespace = held.get(user)
      if (!byNamespace || byNamespace.size > namespacesPerUser) {
        byNamespace = new Map()
        held.set(user, byNamespace)
      }
      let found = byNamespace.get(namespace)
      if (!found) {
        found = collect(user, namespace)
        byNamespace.set(namespace, found)
      }
      return found
    },
    ofRole,
  }
}

/** `roleRef` of a binding. */
export function roleRefOf(binding: KubeObject): RoleRef {
  const ref = isRecord(binding.roleRef) ? binding.roleRef : {}
  return {
    apiGroup: typeof ref.apiGroup === 'string' ? ref.apiGroup : rbacGroup,
    kind: typeof ref.kind === 'string' ? ref.kind : '',
    name: typeof ref.name === 'string' ? ref.name : '',
  }
}

interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

function subjectsOf(binding: KubeObject): Subject[] {
  if (!Array.isArray(binding.subjects)) return []
  return binding.subjects.filter(isRecord).map((subject) => ({
    kind: String(subject.kind),
    name: String(subject.name),
    namespace: typeof subject.namespace === 'string' ? subject.namespace : '',
  }))
}

function appliesTo(subject: Subject, user: UserInfo, bindingNamespace: string): boolean {
  if (subject.kind === 'User') return subject.name === user.name
  if (subject.kind === 'Group') return user.groups.includes(subject.name)
  if (subject.kind !== 'ServiceAccount') return false
  const namespace = subject.namespace || bindingNamespace
  return namespace !== '' && user.name === accountUserName({ namespace, name: subject.name })
}

function describeSubject(subject: Subject, bindingNamespace: string): string {
  return subject.kind === 'ServiceAccount'
    ? `ServiceAccount ${JSON.stringify(`${subject.name}/${subject.namespace || bindingNamespace}`)}`
    : `${subject.kind} ${JSON.stringify(subject.name)}`
}

function missingRole(ref: RoleRef): StatusError {
  return notFound({ kind: ref.kind === 'Role' ? 'role' : 'clusterrole', group: rbacGroup, name: ref.name })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
