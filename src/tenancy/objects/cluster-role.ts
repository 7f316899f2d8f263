import type { ClusterRole, ClusterRoleBinding } from '../../kube/index.ts'
import type { Org } from '../org.ts'
import { ownerLabels } from './ownership.ts'
import { subjectOf } from './role-binding.ts'

/** With the organisation in it: several of them may share a cluster. */
function nameFor(org: Org): string {
  return `arena:user:${org.name}`
}

/** All that users see beyond their groups: which nodes there are, and the classes that a job may name. */
export function clusterRoleOf(org: Org): ClusterRole {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: nameFor(org), labels: ownerLabels(org) },
    rules: [
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list'] },
      { apiGroups: ['scheduling.k8s.io'], resources: ['priorityclasses'], verbs: ['get', 'list'] },
      { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list'] },
    ],
  }
}

export function clusterRoleBindingOf(org: Org): ClusterRoleBinding {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: nameFor(org), labels: ownerLabels(org) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: nameFor(org) },
    // Sorted, or else moving a line of the file would be a change of the cluster.
    subjects: org.users.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(subjectOf),
  }
}
