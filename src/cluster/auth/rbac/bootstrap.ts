import type { KubeObject } from '../../../kube/index.ts'
import { clusterBinding, clusterRole } from './bootstrap-rule.ts'
import { controllerRules } from './controller-roles.ts'
import { systemNamespacedObjects, systemRoles } from './system-roles.ts'
import { userRoles } from './user-roles.ts'

/**
 * The roles and bindings every cluster starts with, as Kubernetes names them. Those that are missing must be created at
 * every start, and rules and subjects that are missing be added to those whose annotation `autoupdate` is `true`.
 * Nodes have a role and no binding: see the node authorizer.
 */
export function bootstrapObjects(): KubeObject[] {
  const everybody = [
    { kind: 'Group', name: 'system:authenticated' },
    { kind: 'Group', name: 'system:unauthenticated' },
  ] as const
  const controllers = Object.entries(controllerRules)
  return [
    ...userRoles(),
    ...systemRoles,
    ...controllers.map(([name, rules]) => clusterRole(`system:controller:${name}`, rules)),
    clusterBinding('cluster-admin', [{ kind: 'Group', name: 'system:masters' }]),
    clusterBinding('system:basic-user', [everybody[0]]),
    clusterBinding('system:discovery', [everybody[0]]),
    clusterBinding('system:public-info-viewer', everybody),
    clusterBinding('system:monitoring', [{ kind: 'Group', name: 'system:monitoring' }]),
    clusterBinding('system:service-account-issuer-discovery', [
      { kind: 'Group', name: 'system:serviceaccounts' },
    ]),
    clusterBinding('system:kube-scheduler', [{ kind: 'User', name: 'system:kube-scheduler' }]),
    clusterBinding('system:volume-scheduler', [{ kind: 'User', name: 'system:kube-scheduler' }]),
    clusterBinding('system:kube-controller-manager', [
      { kind: 'User', name: 'system:kube-controller-manager' },
    ]),
    clusterBinding('system:kube-dns', [{ kind: 'ServiceAccount', name: 'kube-dns' }]),
    clusterBinding('system:node-proxier', [{ kind: 'User', name: 'system:kube-proxy' }]),
    ...controllers.map(([name]) =>
      clusterBinding(`system:controller:${name}`, [{ kind: 'ServiceAccount', name }]),
    ),
    ...systemNamespacedObjects,
  ]
}
