import type { KubeObject } from '../../../kube/index.ts'
import { binding, type BootstrapRole, clusterRole, eventRule, read, role, rule } from './bootstrap-rule.ts'

const tokenReview = rule('authentication.k8s.io', 'tokenreviews', 'create')
const accessReview = rule('authorization.k8s.io', 'subjectaccessreviews', 'create')
const leaseRules = (name: string): ReturnType<typeof rule>[] => [
  rule('coordination.k8s.io', 'leases', 'create'),
  rule('coordination.k8s.io', 'leases', 'get update', name),
]

/** What a node may do in general; the node authorizer and admission narrow it to what is the node's own. */
export const nodeRules = [
  tokenReview,
  rule('authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews', 'create'),
  rule('core', 'services', read),
  rule('core', 'nodes', 'create get list watch'),
  rule('core', 'nodes/status', 'patch update'),
  rule('core', 'nodes', 'patch update'),
  eventRule,
  rule('core', 'pods', read),
  rule('core', 'pods', 'create delete'),
  rule('core', 'pods/status', 'patch update'),
  rule('core', 'pods/eviction', 'create'),
  rule('core', 'configmaps secrets', read),
  rule('core', 'persistentvolumeclaims persistentvolumes', 'get'),
  rule('core', 'endpoints', 'get'),
  rule('certificates.k8s.io', 'certificatesigningrequests', 'create get list watch'),
  rule('coordination.k8s.io', 'leases', 'create delete get patch update'),
  rule('storage.k8s.io', 'volumeattachments', 'get'),
  rule('core', 'serviceaccounts/token', 'create'),
  rule('core', 'persistentvolumeclaims/status', 'get patch update'),
  rule('storage.k8s.io', 'csidrivers', read),
  rule('storage.k8s.io', 'csinodes', 'create delete get patch update'),
  rule('node.k8s.io', 'runtimeclasses', read),
]

/** Roles of the parts of a cluster that are no controllers. */
export const systemRoles: readonly BootstrapRole[] = [
  clusterRole('system:node', nodeRules),
  clusterRole('system:kube-scheduler', [
    eventRule,
    ...leaseRules('kube-scheduler'),
    rule('core', 'nodes', read),
    rule('core', 'pods', 'delete get list watch'),
    rule('core', 'bindings pods/binding', 'create'),
    rule('core', 'pods/status', 'patch update'),
    rule('core', 'replicationcontrollers services', read),
    rule('apps extensions', 'replicasets', read),
    rule('apps', 'statefulsets', read),
    rule('policy', 'poddisruptionbudgets', read),
    rule('core', 'persistentvolumeclaims persistentvolumes', read),
    tokenReview,
    accessReview,
    rule('storage.k8s.io', 'csinodes', read),
    rule('core', 'namespaces', read),
    rule('storage.k8s.io', 'csidrivers csistoragecapacities volumeattachments', read),
    rule('scheduling.k8s.io', 'priorityclasses', read),
  ]),
  clusterRole('system:volume-scheduler', [
    rule('core', 'persistentvolumes', 'get list patch update watch'),
    rule('storage.k8s.io', 'storageclasses', read),
    rule('core', 'persistentvolumeclaims', 'get list patch update watch'),
  ]),
  clusterRole('system:kube-controller-manager', [
    eventRule,
    ...leaseRules('kube-controller-manager'),
    rule('core', 'secrets serviceaccounts', 'create'),
    rule('core', 'secrets', 'delete'),
    rule('core', 'configmaps namespaces secrets serviceaccounts', 'get'),
    rule('core', 'secrets serviceaccounts', 'update'),
    tokenReview,
    accessReview,
    rule('*', '*', 'list watch'),
    rule('core', 'serviceaccounts/token', 'create'),
  ]),
  clusterRole('system:kube-dns', [rule('core', 'endpoints services', 'list watch')]),
  clusterRole('system:kube-aggregator', [rule('core', 'endpoints services', read)]),
  clusterRole('system:kubelet-api-admin', [
    rule('core', 'nodes', read),
    rule('core', 'nodes', 'proxy'),
    rule('core', 'nodes/log nodes/metrics nodes/proxy nodes/stats', '*'),
  ]),
  clusterRole('system:node-bootstrapper', [
    rule('certificates.k8s.io', 'certificatesigningrequests', 'create get list watch'),
  ]),
  ...['nodeclient', 'selfnodeclient'].map((kind) =>
    clusterRole(`system:certificates.k8s.io:certificatesigningrequests:${kind}`, [
      rule('certificates.k8s.io', `certificatesigningrequests/${kind}`, 'create'),
    ]),
  ),
  ...['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown'].map(
    (signer) =>
      clusterRole(`system:certificates.k8s.io:${signer}-approver`, [
        rule('certificates.k8s.io', 'signers', 'approve', `kubernetes.io/${signer}`),
      ]),
  ),
  clusterRole('system:node-problem-detector', [
    rule('core', 'nodes', 'get'),
    rule('core', 'nodes/status', 'patch'),
    eventRule,
  ]),
  clusterRole('system:node-proxier', [
    rule('core', 'endpoints services', 'list watch'),
    rule('core', 'nodes', read),
    eventRule,
    rule('discovery.k8s.io', 'endpointslices', 'list watch'),
    rule('networking.k8s.io', 'servicecidrs', 'list watch'),
  ]),
  clusterRole('system:persistent-volume-provisioner', [
    rule('core', 'persistentvolumes', 'create delete get list watch'),
    rule('core', 'persistentvolumeclaims', 'get list update watch'),
    rule('storage.k8s.io', 'storageclasses', read),
    rule('core', 'events', 'watch'),
    eventRule,
  ]),
]

const leaderRules = [
  rule('coordination.k8s.io', 'leases', 'create get list update watch'),
  rule('coordination.k8s.io', 'leasecandidates', 'create get list update watch'),
]

/** Roles and bindings inside `kube-system`. */
export const systemNamespacedObjects: readonly KubeObject[] = [
  role('kube-system', 'extension-apiserver-authentication-reader', [
    rule('core', 'configmaps', read, 'extension-apiserver-authentication'),
  ]),
  role('kube-system', 'system::leader-locking-kube-controller-manager', leaderRules),
  role('kube-system', 'system::leader-locking-kube-scheduler', leaderRules),
  binding(
    'kube-system',
    'system::extension-apiserver-authentication-reader',
    [
      { kind: 'User', name: 'system:kube-controller-manager' },
      { kind: 'User', name: 'system:kube-scheduler' },
    ],
    'extension-apiserver-authentication-reader',
  ),
  binding('kube-system', 'system::leader-locking-kube-controller-manager', [
    { kind: 'User', name: 'system:kube-controller-manager' },
    { kind: 'ServiceAccount', name: 'kube-controller-manager' },
  ]),
  binding('kube-system', 'system::leader-locking-kube-scheduler', [
    { kind: 'User', name: 'system:kube-scheduler' },
    { kind: 'ServiceAccount', name: 'kube-scheduler' },
  ]),
]
