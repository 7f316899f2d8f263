import type { ClusterRole, PolicyRule, Role } from 'kubernetes-types/rbac/v1.js'
import { type Fault, invalidValue, required } from '../faults.ts'
import { validateLabelSelector } from '../validation/checks.ts'
import { plainColumns } from './columns.ts'
import { define } from './define.ts'

const shared = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  nameRule: 'path-segment',
  columns: plainColumns,
} as const

export const roles = define<Role>({
  ...shared,
  kind: 'Role',
  plural: 'roles',
  createsOnUpdate: true,
  namespaced: true,
  setDefaults: writeRules,
  validate: (object) => ruleFaults(object.rules, 'namespace'),
})

export const clusterRoles = define<ClusterRole>({
  ...shared,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  createsOnUpdate: true,
  namespaced: false,
  setDefaults: writeRules,
  validate(object) {
    const faults = ruleFaults(object.rules, 'cluster')
    const selectors = object.aggregationRule?.clusterRoleSelectors
    if (object.aggregationRule && !selectors?.length) {
      faults.push(
        required(
          'aggregationRule.clusterRoleSelectors',
          'at least one clusterRoleSelector required if aggregationRule is non-nil',
        ),
      )
    }
    for (const [index, selector] of (selectors ?? []).entries()) {
      const path = `aggregationRule.clusterRoleSelectors[${index}]`
      faults.push(...validateLabelSelector(path, selector))
    }
    return faults
  },
})

/** A role without rules says so: `rules` is null, never absent. */
function writeRules(object: object): void {
  const role = object as { rules?: PolicyRule[] | null }
  if (role.rules === undefined || role.rules?.length === 0) role.rules = null
  for (const rule of role.rules ?? []) {
    const verbs: { verbs: string[] | null } = rule
    verbs.verbs ??= null
  }
}

function ruleFaults(
  rules: readonly PolicyRule[] | null | undefined,
  scope: 'namespace' | 'cluster',
): Fault[] {
  const faults: Fault[] = []
  for (const [index, rule] of (rules ?? []).entries()) {
    const path = `rules[${index}]`
    const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
    if (!verbs?.length) {
      faults.push(required(`${path}.verbs`, 'verbs must contain at least one value'))
    }
    if (nonResourceURLs.length > 0) {
      const at = `${path}.nonResourceURLs`
      if (scope === 'namespace') {
        faults.push(invalidValue(at, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
      }
      if (apiGroups.length + resources.length + resourceNames.length > 0) {
        faults.push(
          invalidValue(
            at,
            nonResourceURLs,
            'rules cannot apply to both regular resources and non-resource URLs',
          ),
        )
      }
      continue
    }
    if (apiGroups.length === 0) {
      faults.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
    }
    if (resources.length === 0) {
      faults.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
    }
  }
  return faults
}
