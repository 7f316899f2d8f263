import type { PolicyRule, Role } from '../../kube/index.ts'
import type { Group, Org, OwnRole, User } from '../org.ts'
import { ownerLabels } from './ownership.ts'

const look = ['get', 'list', 'watch']
const operate = ['create', 'update', 'patch', 'delete']
const trainingJobs = ['tfjobs', 'pytorchjobs', 'mpijobs']

// Never secrets: whoever lists them reads everybody's. Never plain pods: jobs make them.
const viewerRules: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: [
      'pods',
      'persistentvolumeclaims',
      'resourcequotas',
      'limitranges',
      'events',
      'services',
      'replicationcontrollers',
    ],
    verbs: look,
  },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: look },
  { apiGroups: ['kubeflow.org'], resources: trainingJobs, verbs: look },
  { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: look },
  // All that `kubectl get all` and `kubectl rollout` ask for.
  {
    apiGroups: ['apps'],
    resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets', 'controllerrevisions'],
    verbs: look,
  },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: look },
  // What the pods of the group use (`kubectl top pods`).
  { apiGroups: ['metrics.k8s.io'], resources: ['pods'], verbs: ['get', 'list'] },
  { apiGroups: ['kueue.x-k8s.io'], resources: ['localqueues', 'workloads'], verbs: look },
]

const memberRules: readonly PolicyRule[] = [
  ...viewerRules,
  { apiGroups: ['kubeflow.org'], resources: trainingJobs, verbs: operate },
  { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: operate },
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: operate },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: operate },
  { apiGroups: [''], resources: ['services'], verbs: operate },
  { apiGroups: [''], resources: ['configmaps'], verbs: [...look, ...operate] },
  // Clients that speak WebSocket open these with GET, older ones with POST.
  { apiGroups: [''], resources: ['pods/exec', 'pods/attach', 'pods/portforward'], verbs: ['get', 'create'] },
]

const leadRules: readonly PolicyRule[] = [
  ...memberRules,
  { apiGroups: [''], resources: ['pods'], verbs: ['delete'] },
  { apiGroups: ['kubeflow.org'], resources: trainingJobs, verbs: ['deletecollection'] },
  // No such resource is served: admission policies ask for this verb to tell a lead from a member.
  { apiGroups: ['arena.dev'], resources: ['jobs'], verbs: ['operate'] },
]

const builtin: Readonly<Record<string, readonly PolicyRule[]>> = {
  lead: leadRules,
  member: memberRules,
  viewer: viewerRules,
}

export function roleName(role: string): string {
  return `arena:${role}`
}

/** One of the roles that members of a group may hold. */
export function roleOf(org: Org, group: Group, role: string): Role {
  const own = org.roles.find((each: OwnRole) => each.name === role)
  const rules = builtin[role] ?? own?.rules ?? []
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: {
      name: roleName(role),
      namespace: group.name,
      labels: ownerLabels(org, { group: group.name, role }),
    },
    rules: [
      ...rules,
      // The Linux group id of jobs is written there.
      { apiGroups: [''], resources: ['namespaces'], resourceNames: [group.name], verbs: ['get'] },
    ],
  }
}

export function selfRoleName(user: string): string {
  return `arena:self:${user}`
}

/** What everybody may do with their own account, and with no other: read its ids, renew its token. */
export function selfRoleOf(org: Org, user: User): Role {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: {
      name: selfRoleName(user.name),
      namespace: user.home,
      labels: ownerLabels(org, { group: user.home, user: user.name }),
    },
    rules: [
      { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: [user.name], verbs: ['get'] },
      {
        apiGroups: [''],
        resources: ['serviceaccounts/token'],
        resourceNames: [user.name],
        verbs: ['create'],
      },
    ],
  }
}
