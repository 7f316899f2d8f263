import { isDeepStrictEqual } from 'node:util'
import type { Admission, Admitter, UserInfo } from '../../registry/index.ts'
import { forbidden, type KubeObject } from '../../../kube/index.ts'
import type { Authorizer } from '../authorizer.ts'
import { mastersGroup } from '../users.ts'
import { type PolicyRule, parseRules } from './policy-rule.ts'
import { describeRules, missingRules, quoted } from './rule-cover.ts'
import { rbacGroup, roleRefOf, type RuleResolver } from './rule-resolver.ts'

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [], verbs: ['*'] },
  { apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'], verbs: ['*'] },
]

/**
 * Nobody can give what they do not hold: roles may only be written by those who hold all of their rules (or the verb
 * `escalate`), bindings only by those who hold all rules of the role (or the verb `bind`).
 *
 * It runs among the mutating steps, and must be the last of those that touch these kinds, because Kubernetes refuses an
 * escalation before it finds faults in the object.
 */
export function escalationAdmitter(authorizer: Authorizer, resolver: RuleResolver): Admitter {
  return {
    name: 'RBACEscalation',
    mutate(admission) {
      const { request, object, oldObject } = admission
      if (!object || (admission.operation !== 'CREATE' && admission.operation !== 'UPDATE')) return
      if (request.resource.group !== rbacGroup || request.subresource) return
      if (request.user.groups.includes(mastersGroup)) return
      if (oldObject && onlyReleases(object, oldObject)) return
      if (isRoleKind(request.resource.plural)) checkRole(admission, object)
      else if (isBindingKind(request.resource.plural)) checkBinding(admission, object)
    },
  }

  function checkRole({ request, oldObject }: Admission, object: KubeObject): void {
    const { user, namespace, resource } = request
    const escalate = authorizer.authorize({
      user,
      verb: 'escalate',
      group: rbacGroup,
      resource: resource.plural,
      namespace,
      name: request.name,
    })
    if (escalate.allowed) return
    const target = { kind: resource.plural, group: rbacGroup, name: object.metadata.name ?? '' }
    const refusal = escalationOf(user, namespace, parseRules(object.rules))
    if (refusal) throw forbidden(target, refusal)
    // An aggregated role gathers rules that nobody checks later.
    const aggregates = hasAggregation(object) || (oldObject !== undefined && hasAggregation(oldObject))
    if (aggregates && escalationOf(user, namespace, everything))
      throw forbidden(target, 'must have cluster-admin privileges to use the aggregationRule')
  }

  function checkBinding({ request }: Admission, object: KubeObject): void {
    const { user, namespace, resource } = request
    const ref = roleRefOf(object)
    if (ref.kind !== 'Role' && ref.kind !== 'ClusterRole') return
    const bind = authorizer.authorize({
      user,
      verb: 'bind',
      group: ref.apiGroup,
      resource: ref.kind === 'Role' ? 'roles' : 'clusterroles',
      namespace,
      name: ref.name,
    })
    if (bind.allowed) return
    const refusal = escalationOf(user, namespace, resolver.ofRole(ref, namespace))
    if (refusal)
      throw forbidden({ kind: resource.plural, group: rbacGroup, name: object.metadata.name ?? '' }, refusal)
  }

  /** Why a user may not give these rules away; undefined when they may. */
  function escalationOf(
    user: UserInfo,
    namespace: string | undefined,
    wanted: readonly PolicyRule[],
  ): string | undefined {
    const held = resolver.heldBy(user, namespace)
    const missing = missingRules(
      held.rules.map(({ rule }) => rule),
      wanted,
    )
    if (missing.length === 0) return undefined
    const faults =
      held.faults.length > 0 ? `; resolution errors: [${[...new Set(held.faults)].join(', ')}]` : ''
    return `user ${JSON.stringify(user.name)} (groups=${quoted(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${describeRules(missing).join('\n')}${faults}`
  }
}

function isRoleKind(plural: string): boolean {
  return plural === 'roles' || plural === 'clusterroles'
}

function isBindingKind(plural: string): boolean {
  return plural === 'rolebindings' || plural === 'clusterrolebindings'
}

function hasAggregation(role: KubeObject): boolean {
  return role.aggregationRule !== undefined && role.aggregationRule !== null
}

/** Only owner references or finalizers changed: the garbage collector lets go of the object. */
function onlyReleases(object: KubeObject, oldObject: KubeObject): boolean {
  return isDeepStrictEqual(withoutReferences(object), withoutReferences(oldObject))
}

function withoutReferences(object: KubeObject): KubeObject {
  const metadata = { ...object.metadata }
  delete metadata.ownerReferences
  delete metadata.finalizers
  delete metadata.managedFields
  delete metadata.resourceVersion
  return { ...object, metadata }
}
