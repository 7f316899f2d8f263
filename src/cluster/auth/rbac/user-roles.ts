import { isDeepStrictEqual } from 'node:util'
import type { PolicyRule } from 'kubernetes-types/rbac/v1.js'
import { type BootstrapRole, clusterRole, pathRule, read, rule, write } from './bootstrap-rule.ts'

const aggregateTo = (role: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true',
})

/** Parts of which `admin`, `edit` and `view` are made; CRDs may add parts of their own with the same labels. */
const parts: readonly BootstrapRole[] = [
  clusterRole(
    'system:aggregate-to-admin',
    [
      rule('authorization.k8s.io', 'localsubjectaccessreviews', 'create'),
      rule(
        'rbac.authorization.k8s.io',
        'rolebindings roles',
        'create delete deletecollection get list patch update watch',
      ),
    ],
    aggregateTo('admin'),
  ),
  clusterRole(
    'system:aggregate-to-edit',
    [
      rule('core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy', read),
      rule('core', 'serviceaccounts', 'impersonate'),
      rule('core', 'pods pods/attach pods/exec pods/portforward pods/proxy', write),
      rule('core', 'pods/eviction', 'create'),
      rule(
        'core',
        'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
        write,
      ),
      rule('core', 'serviceaccounts/token', 'create'),
      rule(
        'apps',
        'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
        write,
      ),
      rule('autoscaling', 'horizontalpodautoscalers', write),
      rule('batch', 'cronjobs jobs', write),
      rule(
        'extensions',
        'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
        write,
      ),
      rule('policy', 'poddisruptionbudgets', write),
      rule('networking.k8s.io', 'ingresses networkpolicies', write),
      rule('coordination.k8s.io', 'leases', 'create delete deletecollection get list patch update watch'),
      rule('resource.k8s.io', 'resourceclaims resourceclaimtemplates', write),
    ],
    aggregateTo('edit'),
  ),
  clusterRole(
    'system:aggregate-to-view',
    [
      rule(
        'core',
        'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
        read,
      ),
      rule(
        'core',
        'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
        read,
      ),
      rule('core', 'namespaces', read),
      rule('discovery.k8s.io', 'endpointslices', read),
      rule(
        'apps',
        'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
        read,
      ),
      rule('autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status', read),
      rule('batch', 'cronjobs cronjobs/status jobs jobs/status', read),
      rule(
        'extensions',
        'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
        read,
      ),
      rule('policy', 'poddisruptionbudgets poddisruptionbudgets/status', read),
      rule('networking.k8s.io', 'ingresses ingresses/status networkpolicies', read),
      rule('resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates', read),
    ],
    aggregateTo('view'),
  ),
  // What metrics-server brings with it.
  clusterRole('system:aggregated-metrics-reader', [rule('metrics.k8s.io', 'pods nodes', read)], {
    ...aggregateTo('admin'),
    ...aggregateTo('edit'),
    ...aggregateTo('view'),
  }),
]

/** Roles for people, with the rules that the aggregation controller would give them. */
export function userRoles(): BootstrapRole[] {
  const view = aggregate('view', parts, aggregateTo('edit'))
  const edit = aggregate('edit', [...parts, view], aggregateTo('admin'))
  const admin = aggregate('admin', [...parts, view, edit], {})
  return [
    clusterRole('cluster-admin', [rule('*', '*', '*'), { nonResourceURLs: ['*'], verbs: ['*'] }]),
    admin,
    edit,
    view,
    ...parts,
    clusterRole('system:basic-user', [
      rule('authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', 'create'),
      rule('authentication.k8s.io', 'selfsubjectreviews', 'create'),
    ]),
    clusterRole('system:discovery', [
      pathRule('/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'),
    ]),
    clusterRole('system:public-info-viewer', [pathRule('/healthz /livez /readyz /version /version/')]),
    clusterRole('system:monitoring', [
      pathRule(
        '/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz',
      ),
    ]),
    clusterRole('system:service-account-issuer-discovery', [
      pathRule('/.well-known/openid-configuration /openid/v1/jwks'),
    ]),
    clusterRole('system:auth-delegator', [
      rule('authentication.k8s.io', 'tokenreviews', 'create'),
      rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
    ]),
  ]
}

function aggregate(
  name: string,
  from: readonly BootstrapRole[],
  labels: Readonly<Record<string, string>>,
): BootstrapRole {
  const label = `rbac.authorization.k8s.io/aggregate-to-${name}`
  const rules: PolicyRule[] = []
  const chosen = from
    .filter((part) => part.metadata.labels?.[label] === 'true')
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  for (const part of chosen)
    for (const one of part.rules) if (!rules.some((known) => isDeepStrictEqual(known, one))) rules.push(one)
  return {
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
    ...clusterRole(name, rules, labels),
  }
}
