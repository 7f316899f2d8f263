import type { ObjectMeta, PolicyRule } from '../../kube/index.ts'
import { labels, manager } from '../objects/ownership.ts'
import { fieldsOf } from './fields.ts'
import type { Live, LiveObject } from './live.ts'

/** Do some rules allow all that others do? https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources */
export function covers(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): boolean {
  return wanted.every(({ apiGroups = [], resources = [], verbs = [], resourceNames = [] }) =>
    apiGroups.every((group) =>
      resources.every((resource) =>
        verbs.every((verb) =>
          // A rule without names is about all of them.
          (resourceNames.length === 0 ? [undefined] : resourceNames).every((name) =>
            held.some((rule) => allows(rule, { group, resource, verb, name })),
          ),
        ),
      ),
    ),
  )
}

function allows(
  rule: PolicyRule,
  one: { group: string; resource: string; verb: string; name: string | undefined },
): boolean {
  const { apiGroups = [], resources = [], verbs = [], resourceNames = [] } = rule
  const subresource = one.resource.split('/')[1]
  return (
    (apiGroups.includes(one.group) || apiGroups.includes('*')) &&
    (verbs.includes(one.verb) || verbs.includes('*')) &&
    (resources.includes(one.resource) ||
      resources.includes('*') ||
      (subresource !== undefined && resources.includes(`*/${subresource}`))) &&
    (resourceNames.length === 0 || (one.name !== undefined && resourceNames.includes(one.name)))
  )
}

export function rulesOf(role: object): readonly PolicyRule[] {
  const rules = fieldsOf(role)['rules']
  return Array.isArray(rules) ? rules : []
}

/** What people lose by a role that allows less than the one that is there, if anybody holds it. */
export function narrowing(role: { object: object }, live: LiveObject, all: Live): string | undefined {
  // What somebody widened by hand is taken back: the file never gave it.
  if (!hasOwnRules(live.metadata) || covers(rulesOf(role.object), rulesOf(live.object))) return undefined
  const about = live.metadata.labels ?? {}
  const holders = [...all.owned.values()].flatMap(({ type, namespace, metadata }) => {
    const user = metadata.labels?.[labels.user]
    const isHolder = type.kind === 'RoleBinding' && metadata.labels?.[labels.role] === about[labels.role]
    return isHolder && namespace === live.namespace && user !== undefined ? [user] : []
  })
  if (holders.length === 0) return undefined
  const more = holders.length > 5 ? ` and ${holders.length - 5} more` : ''
  return `role ${about[labels.role]} of ${live.namespace} allows less than before: ${holders.slice(0, 5).join(', ')}${more}`
}

/** Did arena make an object? What others made under its labels gives what the file never gave. */
export function isMadeByArena({ managedFields = [] }: ObjectMeta): boolean {
  return managedFields.length === 0 || managedFields.some((entry) => entry.manager === manager)
}

/** Are the rules of a role as arena wrote them, as far as the role itself tells? */
function hasOwnRules({ managedFields = [] }: ObjectMeta): boolean {
  return managedFields.every(
    (entry) => entry.manager === manager || fieldsOf(entry.fieldsV1)['f:rules'] === undefined,
  )
}
