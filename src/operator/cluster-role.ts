import type { ClusterRole } from '../kube/index.ts'
import { trainingJobKinds } from './kinds/table.ts'

/** Name of the operator's cluster role; its account may be called anything. */
export const operatorRoleName = 'arena:operator'

/** The rights that the operator needs, and no more. */
export function operatorClusterRole(): ClusterRole {
  const resources = trainingJobKinds.map((kind) => kind.type.plural)
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: operatorRoleName },
    rules: [
      {
        apiGroups: ['kubeflow.org'],
        resources,
        verbs: ['get', 'list', 'watch', 'patch', 'delete'],
      },
      {
        apiGroups: ['kubeflow.org'],
        resources: resources.flatMap((plural) => [`${plural}/status`, `${plural}/finalizers`]),
        verbs: ['get', 'update', 'patch'],
      },
      {
        apiGroups: [''],
        resources: ['pods', 'services'],
        verbs: ['get', 'list', 'watch', 'create', 'delete'],
      },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: [''], resources: ['resourcequotas'], verbs: ['list', 'watch'] },
      { apiGroups: ['scheduling.k8s.io'], resources: ['priorityclasses'], verbs: ['list', 'watch'] },
    ],
  }
}
