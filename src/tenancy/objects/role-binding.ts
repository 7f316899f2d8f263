import type { RoleBinding, Subject } from '../../kube/index.ts'
import type { Group, Membership, Org, User } from '../org.ts'
import { annotations, ownerLabels } from './ownership.ts'
import { roleName, selfRoleName } from './role.ts'

const apiGroup = 'rbac.authorization.k8s.io'

export function subjectOf(user: User): Subject {
  return { kind: 'ServiceAccount', name: user.name, namespace: user.home }
}

/** Gives a user a role in a group: what somebody may do is changed by this object alone. */
export function roleBindingOf(org: Org, group: Group, membership: Membership, user: User): RoleBinding {
  const { role, until } = membership
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: {
      // Which role a binding gives cannot be changed, hence its name says it.
      name: `arena:${user.name}:${role}`,
      namespace: group.name,
      labels: ownerLabels(org, { group: group.name, user: user.name, role }),
      ...(until !== undefined && { annotations: { [annotations.until]: until } }),
    },
    roleRef: { apiGroup, kind: 'Role', name: roleName(role) },
    subjects: [subjectOf(user)],
  }
}

export function selfRoleBindingOf(org: Org, user: User): RoleBinding {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: {
      name: selfRoleName(user.name),
      namespace: user.home,
      labels: ownerLabels(org, { group: user.home, user: user.name }),
    },
    roleRef: { apiGroup, kind: 'Role', name: selfRoleName(user.name) },
    subjects: [subjectOf(user)],
  }
}
