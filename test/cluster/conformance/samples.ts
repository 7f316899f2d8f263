/** The smallest that the server takes of each kind: what stands beside kind and metadata. */
const pod = { containers: [{ name: 'c', image: 'i' }] }
const template = { metadata: { labels: { app: 'a' } }, spec: pod }
const selector = { matchLabels: { app: 'a' } }
const jobTemplate = { spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } }
const hook = {
  name: 'hook.example.com',
  clientConfig: { url: 'https://127.0.0.1:1/hook' },
  rules: [
    { operations: ['CREATE'], apiGroups: ['x.example.com'], apiVersions: ['v1'], resources: ['things'] },
  ],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
}
const matched = {
  resourceRules: [
    { operations: ['CREATE'], apiGroups: ['x.example.com'], apiVersions: ['v1'], resources: ['things'] },
  ],
}
const device = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } }
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
/** A request for a certificate (PKCS 10); nobody has its key. */
const signing = `-----BEGIN CERTIFICATE REQUEST-----
MIHLMHMCAQAwETEPMA0GA1UEAwwGc2FtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEDtr5Tiq4BVUg0GJcstxdlUYCIAAIlprNW/PAzpkQM08LGMBN12WB1uAr
vZNNhepwg3FsMRzDoYUILzkkzu0I7KAAMAoGCCqGSM49BAMCA0gAMEUCIQD293oC
z5nMJnOIUGma3SINwpk2+9Q8sVTkajwiJq01pwIgSHZq71o6nTqTNR8wOqj/yQoI
c/yZcXJdZf5dKTcAnM8=
-----END CERTIFICATE REQUEST-----
`

/** By `group/version/plural`, of every kind that can be created, listed, watched, changed and deleted. */
export const samples: Readonly<Record<string, object>> = {
  '/v1/configmaps': { data: { a: 'b' } },
  '/v1/endpoints': { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] },
  '/v1/events': {
    involvedObject: { namespace: 'sampled', kind: 'Pod', name: 'p' },
    reason: 'Test',
    message: 'm',
  },
  '/v1/limitranges': { spec: { limits: [{ type: 'Pod', max: { cpu: '2' } }] } },
  '/v1/nodes': {},
  '/v1/persistentvolumeclaims': { spec: claim },
  '/v1/persistentvolumes': {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/nowhere' } },
  },
  '/v1/pods': { spec: { ...pod, schedulerName: 'nobody' } },
  '/v1/podtemplates': { template },
  '/v1/replicationcontrollers': { spec: { replicas: 0, selector: { app: 'a' }, template } },
  '/v1/resourcequotas': { spec: { hard: { pods: '5' } } },
  '/v1/secrets': { stringData: { a: 'b' } },
  '/v1/serviceaccounts': {},
  '/v1/services': { spec: { ports: [{ port: 80 }] } },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicies': {
    spec: {
      matchConstraints: matched,
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
    },
  },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings': {
    spec: { policyName: 'p.example.com' },
  },
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations': { webhooks: [hook] },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies': {
    spec: { matchConstraints: matched, validations: [{ expression: 'object.spec.replicas <= 100' }] },
  },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings': {
    spec: { policyName: 'p.example.com', validationActions: ['Deny'] },
  },
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations': { webhooks: [hook] },
  'apps/v1/controllerrevisions': { revision: 1, data: {} },
  'apps/v1/daemonsets': { spec: { selector, template } },
  'apps/v1/deployments': { spec: { replicas: 0, selector, template } },
  'apps/v1/replicasets': { spec: { replicas: 0, selector, template } },
  'apps/v1/statefulsets': { spec: { replicas: 0, serviceName: 's', selector, template } },
  'autoscaling/v1/horizontalpodautoscalers': { spec: { maxReplicas: 2, scaleTargetRef: target } },
  'autoscaling/v2/horizontalpodautoscalers': { spec: { maxReplicas: 2, scaleTargetRef: target } },
  'batch/v1/cronjobs': { spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate } },
  'batch/v1/jobs': { spec: { suspend: true, ...jobTemplate.spec } },
  'certificates.k8s.io/v1/certificatesigningrequests': {
    spec: {
      request: Buffer.from(signing).toString('base64'),
      signerName: 'example.com/signer',
      usages: ['digital signature'],
    },
  },
  'coordination.k8s.io/v1/leases': { spec: { holderIdentity: 'h' } },
  'discovery.k8s.io/v1/endpointslices': { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }] },
  'events.k8s.io/v1/events': {
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { namespace: 'sampled', kind: 'Pod', name: 'p' },
    reason: 'Test',
    action: 'Do',
    type: 'Normal',
    reportingController: 'test-controller',
    reportingInstance: 'test-node',
  },
  'flowcontrol.apiserver.k8s.io/v1/flowschemas': {
    spec: { matchingPrecedence: 9999, priorityLevelConfiguration: { name: 'global-default' } },
  },
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations': {
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } },
  },
  'networking.k8s.io/v1/ingressclasses': { spec: { controller: 'example.com/c' } },
  'networking.k8s.io/v1/ingresses': {
    spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
  },
  'networking.k8s.io/v1/networkpolicies': { spec: { podSelector: {} } },
  'node.k8s.io/v1/runtimeclasses': { handler: 'h' },
  'policy/v1/poddisruptionbudgets': { spec: { minAvailable: 1, selector } },
  'rbac.authorization.k8s.io/v1/clusterrolebindings': { roleRef: role },
  'rbac.authorization.k8s.io/v1/clusterroles': { rules: [] },
  'rbac.authorization.k8s.io/v1/rolebindings': { roleRef: role },
  'rbac.authorization.k8s.io/v1/roles': { rules: [] },
  'resource.k8s.io/v1/deviceclasses': { spec: {} },
  'resource.k8s.io/v1/resourceclaims': { spec: device },
  'resource.k8s.io/v1/resourceclaimtemplates': { spec: { spec: device } },
  'resource.k8s.io/v1/resourceslices': {
    spec: {
      driver: 'd.example.com',
      nodeName: 'n',
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'd' }],
    },
  },
  'scheduling.k8s.io/v1/priorityclasses': { value: 10 },
  'storage.k8s.io/v1/csidrivers': { spec: {} },
  'storage.k8s.io/v1/csinodes': { spec: { drivers: [] } },
  'storage.k8s.io/v1/csistoragecapacities': { storageClassName: 's' },
  'storage.k8s.io/v1/storageclasses': { provisioner: 'example.com/p' },
  'storage.k8s.io/v1/volumeattachments': {
    spec: { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } },
  },
  'storage.k8s.io/v1/volumeattributesclasses': { driverName: 'd.example.com', parameters: { a: 'b' } },
}
