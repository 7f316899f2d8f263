import type { PolicyRule } from 'kubernetes-types/rbac/v1.js'
import { eventRule, read, rule } from './bootstrap-rule.ts'

const podStatus = rule('core', 'pods/status', 'patch update')

/**
 * What each controller may do. `<name>` acts as service account `<name>` in `kube-system`, through the cluster role
 * `system:controller:<name>`.
 */
export const controllerRules: Readonly<Record<string, readonly PolicyRule[]>> = {
  'certificate-controller': [
    rule('certificates.k8s.io', 'certificatesigningrequests', 'delete get list watch'),
    rule(
      'certificates.k8s.io',
      'certificatesigningrequests/approval certificatesigningrequests/status',
      'update',
    ),
    rule('certificates.k8s.io', 'signers', 'approve', 'kubernetes.io/kube-apiserver-client-kubelet'),
    rule(
      'certificates.k8s.io',
      'signers',
      'sign',
      'kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown',
    ),
    rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
    eventRule,
  ],
  'clusterrole-aggregation-controller': [
    rule('rbac.authorization.k8s.io', 'clusterroles', 'escalate get list patch update watch'),
  ],
  'cronjob-controller': [
    rule('batch', 'cronjobs', 'get list update watch'),
    rule('batch', 'jobs', 'create delete get list patch update watch'),
    rule('batch', 'cronjobs/status', 'update'),
    rule('batch', 'cronjobs/finalizers', 'update'),
    rule('core', 'pods', 'delete list watch'),
    eventRule,
  ],
  'daemon-set-controller': [
    rule('apps extensions', 'daemonsets', read),
    rule('apps extensions', 'daemonsets/status', 'update'),
    rule('apps extensions', 'daemonsets/finalizers', 'update'),
    rule('core', 'nodes', 'list watch'),
    rule('core', 'pods', 'create delete list patch watch'),
    rule('core', 'pods/binding', 'create'),
    rule('apps', 'controllerrevisions', 'create delete get list patch update watch'),
    eventRule,
  ],
  'deployment-controller': [
    rule('apps extensions', 'deployments', 'get list update watch'),
    rule('apps extensions', 'deployments/status', 'update'),
    rule('apps extensions', 'deployments/finalizers', 'update'),
    rule('apps extensions', 'replicasets', 'create delete get list patch update watch'),
    rule('core', 'pods', 'get list update watch'),
    eventRule,
  ],
  'disruption-controller': [
    rule('apps extensions', 'deployments', read),
    rule('apps extensions', 'replicasets', read),
    rule('core', 'replicationcontrollers', read),
    rule('policy', 'poddisruptionbudgets', read),
    rule('apps', 'statefulsets', read),
    rule('policy', 'poddisruptionbudgets/status', 'update'),
    podStatus,
    rule('*', '*/scale', 'get'),
    eventRule,
  ],
  'endpoint-controller': [
    rule('core', 'pods services', read),
    rule('core', 'endpoints', 'create delete get list update watch'),
    rule('core', 'endpoints/restricted', 'create'),
    eventRule,
  ],
  'endpointslice-controller': [
    rule('core', 'nodes pods services', read),
    rule('core', 'services/finalizers', 'update'),
    rule('discovery.k8s.io', 'endpointslices', 'create delete get list update watch'),
    eventRule,
  ],
  'endpointslicemirroring-controller': [
    rule('core', 'endpoints services', read),
    rule('core', 'endpoints/finalizers services/finalizers', 'update'),
    rule('discovery.k8s.io', 'endpointslices', 'create delete get list update watch'),
    eventRule,
  ],
  'ephemeral-volume-controller': [
    rule('core', 'pods', read),
    rule('core', 'pods/finalizers', 'update'),
    rule('core', 'persistentvolumeclaims', 'create get list watch'),
    eventRule,
  ],
  'generic-garbage-collector': [rule('*', '*', 'delete get list patch update watch'), eventRule],
  'job-controller': [
    rule('batch', 'jobs', 'get list patch update watch'),
    rule('batch', 'jobs/status', 'update'),
    rule('batch', 'jobs/finalizers', 'update'),
    rule('core', 'pods', 'create delete list patch watch'),
    eventRule,
  ],
  'legacy-service-account-token-cleaner': [
    rule('core', 'configmaps', 'get', 'kube-apiserver-legacy-service-account-token-tracking'),
    rule('core', 'secrets', 'delete patch'),
  ],
  'namespace-controller': [
    rule('core', 'namespaces', 'delete get list watch'),
    rule('core', 'namespaces/finalize namespaces/status', 'update'),
    rule('*', '*', 'delete deletecollection get list watch'),
  ],
  'node-controller': [
    rule('core', 'nodes', 'delete get list patch update watch'),
    rule('core', 'nodes/status', 'patch update'),
    podStatus,
    rule('core', 'pods', 'delete get list watch'),
    eventRule,
  ],
  'persistent-volume-binder': [
    rule('core', 'persistentvolumes', 'create delete get list update watch'),
    rule('core', 'persistentvolumes/status', 'update'),
    rule('core', 'persistentvolumeclaims', 'get list update watch'),
    rule('core', 'persistentvolumeclaims/status', 'update'),
    rule('core', 'pods', 'create delete get list watch'),
    rule('storage.k8s.io', 'storageclasses', read),
    rule('core', 'nodes', 'list watch'),
    eventRule,
    rule('core', 'events', 'watch'),
  ],
  'pod-garbage-collector': [
    rule('core', 'pods', 'delete list watch'),
    rule('core', 'nodes', read),
    rule('core', 'pods/status', 'patch'),
  ],
  'pv-protection-controller': [rule('core', 'persistentvolumes', 'get list update watch'), eventRule],
  'pvc-protection-controller': [
    rule('core', 'persistentvolumeclaims', 'get list update watch'),
    rule('core', 'persistentvolumeclaims/status', 'update'),
    rule('core', 'pods', read),
    eventRule,
  ],
  'replicaset-controller': [
    rule('apps', 'replicasets', 'get list update watch'),
    rule('apps', 'replicasets/status', 'update'),
    rule('apps', 'replicasets/finalizers', 'update'),
    rule('core', 'pods', 'create delete list patch watch'),
    eventRule,
  ],
  'replication-controller': [
    rule('core', 'replicationcontrollers', 'get list update watch'),
    rule('core', 'replicationcontrollers/status', 'update'),
    rule('core', 'replicationcontrollers/finalizers', 'update'),
    rule('core', 'pods', 'create delete list patch watch'),
    eventRule,
  ],
  'resourcequota-controller': [
    rule('*', '*', 'list watch'),
    rule('core', 'resourcequotas/status', 'update'),
    eventRule,
  ],
  'root-ca-cert-publisher': [rule('core', 'configmaps', 'create update'), eventRule],
  'service-account-controller': [rule('core', 'serviceaccounts', 'create'), eventRule],
  'volumeattributesclass-protection-controller': [
    rule('core', 'persistentvolumeclaims persistentvolumes', 'get list watch'),
    rule('storage.k8s.io', 'volumeattributesclasses', 'get list update watch'),
    eventRule,
  ],
  'service-cidrs-controller': [
    rule('networking.k8s.io', 'servicecidrs', 'get list patch update watch'),
    rule('networking.k8s.io', 'servicecidrs/finalizers', 'patch update'),
    rule('networking.k8s.io', 'servicecidrs/status', 'patch update'),
    rule('networking.k8s.io', 'ipaddresses', 'get list watch'),
    // Whose addresses these are is known a moment earlier from the services.
    rule('core', 'services', 'list'),
    eventRule,
  ],
  'statefulset-controller': [
    rule('core', 'pods', 'list watch'),
    rule('apps', 'statefulsets', read),
    rule('apps', 'statefulsets/status', 'update'),
    rule('apps', 'statefulsets/finalizers', 'update'),
    rule('core', 'pods', 'create delete get patch update'),
    rule('apps', 'controllerrevisions', 'create delete get list patch update watch'),
    rule('core', 'persistentvolumeclaims', 'create get'),
    eventRule,
    rule('core', 'persistentvolumeclaims', 'delete list update watch'),
  ],
  'ttl-after-finished-controller': [rule('batch', 'jobs', 'delete get list watch'), eventRule],
  'validatingadmissionpolicy-status-controller': [
    rule('admissionregistration.k8s.io', 'validatingadmissionpolicies', read),
    rule('admissionregistration.k8s.io', 'validatingadmissionpolicies/status', 'get patch update'),
    eventRule,
  ],
}
