/**
 * What the declaration files of `kubernetes-types` do not tell of the built-in types: served kinds, formats, list and
 * map semantics, patch strategies, Go pointers, and fields that came after the package's Kubernetes version. Sources:
 * the API reference (https://kubernetes.io/docs/reference/kubernetes-api/) and the markers it is made from.
 * A field is written `Type.field`; where two modules share a type name it is written `module:Type.field`.
 */
import { kindAndList } from './added-kinds.mjs'
import { deviceImports, deviceTypes } from './device-facts.mjs'

/** Module of `kubernetes-types` -> API group and the kinds that something serves or accepts. */
export const roots = {
  'core/v1': {
    group: '',
    kinds:
      'Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount',
  },
  'apps/v1': { group: 'apps', kinds: 'Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision' },
  'batch/v1': { group: 'batch', kinds: 'Job CronJob' },
  'rbac/v1': { group: 'rbac.authorization.k8s.io', kinds: 'Role RoleBinding ClusterRole ClusterRoleBinding' },
  'apiextensions/v1': { group: 'apiextensions.k8s.io', kinds: 'CustomResourceDefinition' },
  'authentication/v1': {
    group: 'authentication.k8s.io',
    kinds: 'TokenReview TokenRequest SelfSubjectReview',
  },
  'authorization/v1': {
    group: 'authorization.k8s.io',
    kinds: 'SubjectAccessReview SelfSubjectAccessReview LocalSubjectAccessReview SelfSubjectRulesReview',
  },
  'admissionregistration/v1': {
    group: 'admissionregistration.k8s.io',
    kinds:
      'MutatingAdmissionPolicy MutatingAdmissionPolicyBinding ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration MutatingWebhookConfiguration',
  },
  'certificates/v1': { group: 'certificates.k8s.io', kinds: 'CertificateSigningRequest' },
  'policy/v1': { group: 'policy', kinds: 'PodDisruptionBudget Eviction' },
  'discovery/v1': { group: 'discovery.k8s.io', kinds: 'EndpointSlice' },
  'events/v1': { group: 'events.k8s.io', kinds: 'Event' },
  'storage/v1': {
    group: 'storage.k8s.io',
    kinds: 'CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass',
  },
  'networking/v1': {
    group: 'networking.k8s.io',
    kinds: 'IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR',
  },
  'flowcontrol/v1': {
    group: 'flowcontrol.apiserver.k8s.io',
    kinds: 'FlowSchema PriorityLevelConfiguration',
  },
  'node/v1': { group: 'node.k8s.io', kinds: 'RuntimeClass' },
  'scheduling/v1': { group: 'scheduling.k8s.io', kinds: 'PriorityClass' },
  'coordination/v1': { group: 'coordination.k8s.io', kinds: 'Lease' },
  'autoscaling/v1': { group: 'autoscaling', kinds: 'HorizontalPodAutoscaler Scale' },
  'autoscaling/v2': { group: 'autoscaling', kinds: 'HorizontalPodAutoscaler' },
  'apiregistration/v1': { group: 'apiregistration.k8s.io', kinds: 'APIService' },
  'metrics/v1beta1': { group: 'metrics.k8s.io', kinds: 'NodeMetrics PodMetrics' },
  'resource/v1': {
    group: 'resource.k8s.io',
    kinds: 'DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice',
  },
  'meta/v1': { group: 'meta.k8s.io', kinds: 'DeleteOptions Status' },
}

/** Modules that the package does not have. */
export const absent = new Set(['apiregistration/v1', 'resource/v1'])

/** Kinds that have no list of their own. */
export const unlisted = new Set(
  'Binding TokenReview TokenRequest SelfSubjectReview SubjectAccessReview SelfSubjectAccessReview LocalSubjectAccessReview SelfSubjectRulesReview Eviction Scale DeleteOptions Status'.split(
    ' ',
  ),
)

/** Module -> start of the names of its types in OpenAPI documents. */
export const prefixes = {
  'meta/v1': 'io.k8s.apimachinery.pkg.apis.meta.v1',
  'api/resource': 'io.k8s.apimachinery.pkg.api.resource',
  runtime: 'io.k8s.apimachinery.pkg.runtime',
  'apiextensions/v1': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  'apiregistration/v1': 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  'metrics/v1beta1': 'io.k8s.metrics.pkg.apis.metrics.v1beta1',
}

const jsonSchemaProps =
  '#/components/schemas/io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'

/** Types whose JSON form is not that of their fields. */
export const special = {
  'meta/v1:Time': { type: 'string', format: 'date-time' },
  'meta/v1:MicroTime': { type: 'string', format: 'date-time' },
  'meta/v1:Duration': { type: 'string' },
  'meta/v1:FieldsV1': { type: 'object' },
  'api/resource:Quantity': { type: 'string' },
  'runtime:RawExtension': { type: 'object' },
  'apiextensions/v1:JSON': {},
  'apiextensions/v1:JSONSchemaPropsOrArray': {
    anyOf: [{ $ref: jsonSchemaProps }, { type: 'array', items: { $ref: jsonSchemaProps } }],
  },
  'apiextensions/v1:JSONSchemaPropsOrBool': { anyOf: [{ $ref: jsonSchemaProps }, { type: 'boolean' }] },
  'apiextensions/v1:JSONSchemaPropsOrStringArray': {
    anyOf: [{ $ref: jsonSchemaProps }, { type: 'array', items: { type: 'string' } }],
  },
}

const words = (text) =>
  text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')

/** Numbers are int32 unless named here. */
export const int64 = new Set(
  words(`ContainerImage.sizeBytes PodCondition.observedGeneration PodSecurityContext.fsGroup PodSecurityContext.runAsGroup
  PodSecurityContext.runAsUser PodSecurityContext.supplementalGroups PodSpec.activeDeadlineSeconds
  PodSpec.terminationGracePeriodSeconds PodStatus.observedGeneration Probe.terminationGracePeriodSeconds
  SecurityContext.runAsGroup SecurityContext.runAsUser ServiceAccountTokenProjection.expirationSeconds SleepAction.seconds
  Toleration.tolerationSeconds Condition.observedGeneration DeleteOptions.gracePeriodSeconds ListMeta.remainingItemCount
  ObjectMeta.deletionGracePeriodSeconds ObjectMeta.generation CronJobSpec.startingDeadlineSeconds
  JobSpec.activeDeadlineSeconds DeploymentStatus.observedGeneration ReplicaSetStatus.observedGeneration
  ReplicationControllerStatus.observedGeneration StatefulSetStatus.observedGeneration DaemonSetStatus.observedGeneration
  ControllerRevision.revision
  CustomResourceDefinitionCondition.observedGeneration CustomResourceDefinitionStatus.observedGeneration
  JSONSchemaProps.maxItems JSONSchemaProps.maxLength JSONSchemaProps.maxProperties JSONSchemaProps.minItems
  JSONSchemaProps.minLength JSONSchemaProps.minProperties TokenRequestSpec.expirationSeconds
  ValidatingAdmissionPolicyStatus.observedGeneration PodDisruptionBudgetStatus.observedGeneration
  LinuxContainerUser.gid LinuxContainerUser.uid LinuxContainerUser.supplementalGroups NodeSwapStatus.capacity
  CSIDriverSpec.nodeAllocatableUpdatePeriodSeconds storage/v1:TokenRequest.expirationSeconds
  HorizontalPodAutoscalerStatus.observedGeneration
  ResourcePool.generation ResourcePool.resourceSliceCount ExactDeviceRequest.count DeviceSubRequest.count DeviceAttribute.int
  DeviceToleration.tolerationSeconds`),
)
export const doubles = new Set(
  words('JSONSchemaProps.maximum JSONSchemaProps.minimum JSONSchemaProps.multipleOf'),
)
export const base64 = new Set(
  words(
    'ConfigMap.binaryData Secret.data CertificateSigningRequestSpec.request CertificateSigningRequestStatus.certificate WebhookClientConfig.caBundle APIServiceSpec.caBundle',
  ),
)

/** `Type.field`: list type and, for maps, its keys. Any other list is atomic. */
export const lists = {
  'Container.env': 'map name',
  'Container.ports': 'map containerPort protocol',
  'Container.volumeDevices': 'map devicePath',
  'Container.volumeMounts': 'map mountPath',
  'EphemeralContainer.env': 'map name',
  'EphemeralContainer.ports': 'map containerPort protocol',
  'EphemeralContainer.volumeDevices': 'map devicePath',
  'EphemeralContainer.volumeMounts': 'map mountPath',
  'ResourceRequirements.claims': 'map name',
  'PodSpec.containers': 'map name',
  'PodSpec.initContainers': 'map name',
  'PodSpec.ephemeralContainers': 'map name',
  'PodSpec.volumes': 'map name',
  'PodSpec.hostAliases': 'map ip',
  'PodSpec.imagePullSecrets': 'map name',
  'PodSpec.schedulingGates': 'map name',
  'PodSpec.resourceClaims': 'map name',
  'PodSpec.topologySpreadConstraints': 'map topologyKey whenUnsatisfiable',
  'PodStatus.conditions': 'map type',
  'APIServiceStatus.conditions': 'map type',
  'ComponentStatus.conditions': 'map type',
  'PodStatus.podIPs': 'map ip',
  'PodStatus.resourceClaimStatuses': 'map name',
  'ContainerStatus.volumeMounts': 'map mountPath',
  'ContainerStatus.allocatedResourcesStatus': 'map name',
  'ResourceStatus.resources': 'map resourceID',
  'ServiceSpec.ports': 'map port protocol',
  'ServiceStatus.conditions': 'map type',
  'NamespaceStatus.conditions': 'map type',
  'NodeSpec.podCIDRs': 'set',
  'NodeStatus.conditions': 'map type',
  'NodeStatus.addresses': 'map type',
  'ServiceAccount.secrets': 'map name',
  'PersistentVolumeClaimStatus.conditions': 'map type',
  'ObjectMeta.finalizers': 'set',
  'ObjectMeta.ownerReferences': 'map uid',
  'PodFailurePolicyOnExitCodesRequirement.values': 'set',
  'ContainerRestartRuleOnExitCodes.values': 'set',
  'UncountedTerminatedPods.failed': 'set',
  'UncountedTerminatedPods.succeeded': 'set',
  'DeploymentStatus.conditions': 'map type',
  'ReplicaSetStatus.conditions': 'map type',
  'StatefulSetStatus.conditions': 'map type',
  'DaemonSetStatus.conditions': 'map type',
  'ReplicationControllerStatus.conditions': 'map type',
  'PodDisruptionBudgetStatus.conditions': 'map type',
  'Endpoint.addresses': 'set',
  'CustomResourceDefinitionStatus.conditions': 'map type',
  'JSONSchemaProps.x-kubernetes-validations': 'map rule',
  'ValidatingAdmissionPolicySpec.matchConditions': 'map name',
  'ValidatingAdmissionPolicySpec.variables': 'map name',
  'ValidatingAdmissionPolicyStatus.conditions': 'map type',
  'ValidatingAdmissionPolicyBindingSpec.validationActions': 'set',
  'MutatingAdmissionPolicySpec.matchConditions': 'map name',
  'FlowSchemaStatus.conditions': 'map type',
  'PriorityLevelConfigurationStatus.conditions': 'map type',
  'ServiceCIDRStatus.conditions': 'map type',
  'ValidatingWebhookConfiguration.webhooks': 'map name',
  'MutatingWebhookConfiguration.webhooks': 'map name',
  'ValidatingWebhook.matchConditions': 'map name',
  'MutatingWebhook.matchConditions': 'map name',
  'ResourceClaimStatus.reservedFor': 'map uid',
  'ResourceClaimStatus.devices': 'map driver device pool',
  'AllocatedDeviceStatus.conditions': 'map type',
  'CSIDriverSpec.volumeLifecycleModes': 'set',
  'CSINodeSpec.drivers': 'map name',
  'CertificateSigningRequestStatus.conditions': 'map type',
  'HorizontalPodAutoscalerStatus.conditions': 'map type',
}

/** `Type.field`: strategic merge patch strategy and merge key, where it is not the plain one. */
export const patches = {
  'Container.env': 'merge name',
  'Container.ports': 'merge containerPort',
  'Container.volumeDevices': 'merge devicePath',
  'Container.volumeMounts': 'merge mountPath',
  'EphemeralContainer.env': 'merge name',
  'EphemeralContainer.ports': 'merge containerPort',
  'EphemeralContainer.volumeDevices': 'merge devicePath',
  'EphemeralContainer.volumeMounts': 'merge mountPath',
  'PodSpec.containers': 'merge name',
  'PodSpec.initContainers': 'merge name',
  'PodSpec.ephemeralContainers': 'merge name',
  'PodSpec.volumes': 'merge,retainKeys name',
  'PodSpec.hostAliases': 'merge ip',
  'PodSpec.imagePullSecrets': 'merge name',
  'PodSpec.schedulingGates': 'merge name',
  'PodSpec.resourceClaims': 'merge,retainKeys name',
  'PodSpec.topologySpreadConstraints': 'merge topologyKey',
  'PodStatus.conditions': 'merge type',
  'PodStatus.podIPs': 'merge ip',
  'PodStatus.hostIPs': 'merge ip',
  'PodStatus.resourceClaimStatuses': 'merge,retainKeys name',
  'ContainerStatus.volumeMounts': 'merge mountPath',
  'ContainerStatus.allocatedResourcesStatus': 'merge name',
  'ServiceSpec.ports': 'merge port',
  'ServiceStatus.conditions': 'merge type',
  'NamespaceStatus.conditions': 'merge type',
  'NodeSpec.podCIDRs': 'merge',
  'NodeStatus.conditions': 'merge type',
  'NodeStatus.addresses': 'merge type',
  'ServiceAccount.secrets': 'merge name',
  'PersistentVolumeClaimStatus.conditions': 'merge type',
  'ObjectMeta.finalizers': 'merge',
  'ObjectMeta.ownerReferences': 'merge uid',
  'JobStatus.conditions': 'merge type',
  'DeploymentSpec.strategy': 'retainKeys',
  'DeploymentStatus.conditions': 'merge type',
  'ReplicaSetStatus.conditions': 'merge type',
  'StatefulSetStatus.conditions': 'merge type',
  'DaemonSetStatus.conditions': 'merge type',
  'ReplicationControllerStatus.conditions': 'merge type',
  'PodDisruptionBudgetSpec.selector': 'replace',
  'PodDisruptionBudgetStatus.conditions': 'merge type',
  'HorizontalPodAutoscalerStatus.conditions': 'merge type',
  'JSONSchemaProps.x-kubernetes-validations': 'merge rule',
  'ValidatingAdmissionPolicySpec.matchConditions': 'merge name',
  'ValidatingAdmissionPolicySpec.variables': 'merge name',
  'MutatingAdmissionPolicySpec.matchConditions': 'merge name',
  'FlowSchemaStatus.conditions': 'merge type',
  'PriorityLevelConfigurationStatus.conditions': 'merge type',
  'ServiceCIDRStatus.conditions': 'merge type',
  'ValidatingWebhookConfiguration.webhooks': 'merge name',
  'MutatingWebhookConfiguration.webhooks': 'merge name',
  'ValidatingWebhook.matchConditions': 'merge name',
  'MutatingWebhook.matchConditions': 'merge name',
  'ResourceClaimStatus.reservedFor': 'merge uid',
  'CSINodeSpec.drivers': 'merge name',
}

/** Types and map fields that have one owner as a whole. */
export const atomicTypes = new Set(
  words(`LabelSelector ConfigMapKeySelector SecretKeySelector ObjectFieldSelector ResourceFieldSelector FileKeySelector
  LocalObjectReference ObjectReference TypedLocalObjectReference SecretReference NodeSelector NodeSelectorTerm
  TopologySelectorTerm ScopeSelector EndpointAddress EndpointPort OwnerReference RoleRef rbac/v1:Subject ParamKind ParamRef
  MatchResources NamedRuleWithOperations Variable CrossVersionObjectReference`),
)
export const atomicFields = new Set(
  words(
    'PodSpec.nodeSelector ServiceSpec.selector Scheduling.nodeSelector ReplicationControllerSpec.selector',
  ),
)
/** Fields that undo what their type says. */
export const granularFields = new Set(words('PersistentVolumeSpec.claimRef'))

/** Defaults that list keys rely on; all other defaulting is code. */
export const defaults = { 'ContainerPort.protocol': 'TCP', 'ServicePort.protocol': 'TCP' }

/** Corrections of what is optional: `+` required, `-` optional. */
export const optionality = {
  'HostAlias.ip': '+',
  'HostIP.ip': '+',
  'PodIP.ip': '+',
  'CronJob.spec': '-',
  'TokenReviewSpec.token': '-',
  'PodFailurePolicyOnPodConditionsPattern.status': '-',
}

/** Fields (and whole types) younger than the package: module -> type -> field -> TypeScript type and description. */
export const added = {
  'core/v1': {
    Container: {
      'restartPolicyRules?': [
        'Array<ContainerRestartRule>',
        'Rules that decide whether the container is restarted when it exits; they come before restartPolicy.',
      ],
    },
    EphemeralContainer: {
      'restartPolicyRules?': ['Array<ContainerRestartRule>', 'Not allowed for ephemeral containers.'],
    },
    ContainerRestartRule: {
      '': 'One rule on whether a container that exited is restarted.',
      action: ['string', 'What to do when the rule matches.'],
      'exitCodes?': ['ContainerRestartRuleOnExitCodes', 'The exit codes that the rule is about.'],
    },
    ContainerRestartRuleOnExitCodes: {
      '': 'The exit codes of a container restart rule.',
      operator: ['string', 'How the exit code relates to the values: In or NotIn.'],
      'values?': ['Array<number>', 'The exit codes to compare with.'],
    },
    ContainerStatus: {
      'allocatedResourcesStatus?': [
        'Array<ResourceStatus>',
        'Health of the resources that the container holds.',
      ],
      'stopSignal?': ['string', 'Signal that stops the container.'],
      'user?': ['ContainerUser', 'Identity of the first process of the container.'],
    },
    ResourceStatus: {
      '': 'Health of one resource of a container.',
      name: ['string', 'Name of the resource.'],
      'resources?': ['Array<ResourceHealth>', 'Health of each unit of the resource.'],
    },
    ResourceHealth: {
      '': 'Health of one unit of a resource.',
      'health?': ['string', 'Healthy, Unhealthy or Unknown.'],
      'message?': ['string', 'More words on the health.'],
      resourceID: ['string', 'Unique name of the unit.'],
    },
    ContainerUser: {
      '': 'User that a container runs as.',
      'linux?': ['LinuxContainerUser', 'Identity on Linux.'],
    },
    LinuxContainerUser: {
      '': 'User and groups of a container on Linux.',
      gid: ['number', 'Primary group.'],
      'supplementalGroups?': ['Array<number>', 'Further groups.'],
      uid: ['number', 'User.'],
    },
    EnvVarSource: {
      'fileKeyRef?': ['FileKeySelector', 'Takes the value from a key of an env file in a volume.'],
    },
    FileKeySelector: {
      '': 'Selects a key of an env file.',
      key: ['string', 'The key in the file.'],
      'optional?': ['boolean', 'Whether the file and the key may be absent.'],
      path: ['string', 'Path of the file in the volume.'],
      volumeName: ['string', 'Name of the volume that holds the file.'],
    },
    Lifecycle: { 'stopSignal?': ['string', 'Signal that is sent to the container when it is stopped.'] },
    NodeRuntimeHandlerFeatures: {
      'userNamespaces?': ['boolean', 'Whether the handler supports user namespaces.'],
    },
    NodeStatus: {
      'declaredFeatures?': ['Array<string>', 'Features that the node declares.'],
      'features?': ['NodeFeatures', 'Features that the container runtime implements.'],
    },
    NodeFeatures: {
      '': 'Features of a container runtime.',
      'supplementalGroupsPolicy?': ['boolean', 'Whether supplementalGroupsPolicy is supported.'],
    },
    NodeSystemInfo: { 'swap?': ['NodeSwapStatus', 'Swap memory of the node.'] },
    NodeSwapStatus: { '': 'Swap memory of a node.', 'capacity?': ['number', 'Bytes of swap.'] },
    PodCondition: {
      'observedGeneration?': ['number', 'metadata.generation that the condition was set for.'],
    },
    PodResourceClaim: {
      'resourceClaimName?': ['string', 'Name of a ResourceClaim in the namespace of the pod.'],
      'resourceClaimTemplateName?': [
        'string',
        'Name of a ResourceClaimTemplate in the namespace of the pod.',
      ],
    },
    PodSecurityContext: {
      'seLinuxChangePolicy?': [
        'string',
        'How the SELinux label of the volumes is changed: MountOption or Recursive.',
      ],
      'supplementalGroupsPolicy?': [
        'string',
        'How the supplemental groups of the first process come about: Merge or Strict.',
      ],
    },
    PodSpec: {
      'hostnameOverride?': ['string', 'Host name of the pod in place of the one made from its name.'],
      'resources?': ['ResourceRequirements', 'CPU, memory and huge pages of the pod as a whole.'],
      'schedulingGroup?': ['PodSchedulingGroup', 'The group that the pod is scheduled with.'],
    },
    PodSchedulingGroup: {
      '': 'Group of pods that are scheduled together.',
      'podGroupName?': ['string', 'Name of the PodGroup.'],
    },
    PodStatus: {
      'allocatedResources?': [
        'Map<Quantity>',
        'Resources that the node has set aside for the pod as a whole.',
      ],
      'observedGeneration?': ['number', 'metadata.generation that the status was set for.'],
      'resources?': ['ResourceRequirements', 'Resources of the pod as a whole as they are in force.'],
    },
    ResourceClaim: {
      'request?': ['string', 'Name of one request of the claim; the whole claim when left out.'],
    },
    Volume: { 'image?': ['ImageVolumeSource', 'An OCI image or artifact that is mounted read-only.'] },
    ImageVolumeSource: {
      '': 'An OCI image or artifact as a volume.',
      'pullPolicy?': ['string', 'When to pull: Always, Never or IfNotPresent.'],
      'reference?': ['string', 'The image or artifact.'],
    },
    VolumeProjection: {
      'podCertificate?': ['PodCertificateProjection', 'Projects a private key and a certificate chain.'],
    },
    PodCertificateProjection: {
      '': 'A private key and certificate chain that the node keeps renewed.',
      'certificateChainPath?': ['string', 'File for the certificate chain.'],
      'credentialBundlePath?': ['string', 'File for key and chain together.'],
      'keyPath?': ['string', 'File for the key.'],
      keyType: ['string', 'Type of the key pair.'],
      'maxExpirationSeconds?': ['number', 'Longest lifetime of the certificate.'],
      signerName: ['string', 'Who signs.'],
      'userAnnotations?': ['Map<string>', 'Annotations for the signer.'],
    },
  },
  'apiregistration/v1': {
    ...kindAndList(
      'APIService',
      'apiregistration.k8s.io/v1',
      'A group and version of the API, and who answers for it.',
      {
        'spec?': ['APIServiceSpec', 'The group and version, and where its server is.'],
        'status?': ['APIServiceStatus', 'Whether it can be asked.'],
      },
    ),
    APIServiceSpec: {
      '': 'A group and version of the API, and where its server is.',
      'caBundle?': ['string', 'Certificates (PEM) that the server is trusted by.'],
      'group?': ['string', 'The group.'],
      groupPriorityMinimum: ['number', 'Groups with a higher number come first.'],
      'insecureSkipTLSVerify?': ['boolean', 'Whether the certificate of the server is not looked at.'],
      'service?': [
        'ServiceReference',
        'Service of the server; left out for what this server answers for itself.',
      ],
      'version?': ['string', 'The version.'],
      versionPriority: ['number', 'Within the group versions with a higher number come first.'],
    },
    APIServiceStatus: {
      '': 'Whether a group and version can be asked.',
      'conditions?': ['Array<APIServiceCondition>', 'Conditions of the service.'],
    },
    APIServiceCondition: {
      '': 'One condition of a group and version.',
      'lastTransitionTime?': ['Time', 'When the status last changed.'],
      'message?': ['string', 'Words on the last change.'],
      'reason?': ['string', 'The last change in one word.'],
      status: ['string', 'True, False or Unknown.'],
      type: ['string', 'Type of the condition.'],
    },
    ServiceReference: {
      '': 'Names a service.',
      'name?': ['string', 'Name of the service.'],
      'namespace?': ['string', 'Namespace of the service.'],
      'port?': ['number', 'Port of the service; 443 when left out.'],
    },
  },
  'metrics/v1beta1': {
    ContainerMetrics: {
      '': 'What one container uses.',
      name: ['string', 'Name of the container, as in the pod.'],
      usage: ['Map<Quantity>', 'CPU over the window and the memory working set.'],
    },
    NodeMetrics: {
      '': 'What a node uses.',
      'apiVersion?': ['string', 'Version of this form of the object.'],
      'kind?': ['string', 'Kind of the object.'],
      'metadata?': ['ObjectMeta', 'Name and labels of the node.'],
      timestamp: ['Time', 'End of the window.'],
      usage: ['Map<Quantity>', 'CPU over the window and the memory working set.'],
      window: ['Duration', 'Length of the window over which CPU was measured.'],
    },
    NodeMetricsList: {
      '': 'A list of what nodes use.',
      'apiVersion?': ['string', 'Version of this form of the object.'],
      items: ['Array<NodeMetrics>', 'One for each node.'],
      'kind?': ['string', 'Kind of the object.'],
      'metadata?': ['ListMeta', 'Metadata of the list.'],
    },
    PodMetrics: {
      '': 'What a pod uses.',
      'apiVersion?': ['string', 'Version of this form of the object.'],
      containers: ['Array<ContainerMetrics>', 'What its running containers use.'],
      'kind?': ['string', 'Kind of the object.'],
      'metadata?': ['ObjectMeta', 'Name, namespace and labels of the pod.'],
      timestamp: ['Time', 'End of the window.'],
      window: ['Duration', 'Length of the window over which CPU was measured.'],
    },
    PodMetricsList: {
      '': 'A list of what pods use.',
      'apiVersion?': ['string', 'Version of this form of the object.'],
      items: ['Array<PodMetrics>', 'One for each pod.'],
      'kind?': ['string', 'Kind of the object.'],
      'metadata?': ['ListMeta', 'Metadata of the list.'],
    },
  },
  'autoscaling/v2': {
    HPAScalingRules: {
      'tolerance?': [
        'Quantity',
        'How far use may be from the target before anything is scaled; a tenth when left out.',
      ],
    },
  },
  'meta/v1': {
    Duration: { '': 'A span of time, as in 15s.' },
    DeleteOptions: {
      'ignoreStoreReadErrorWithClusterBreakingPotential?': [
        'boolean',
        'Delete even when the stored object cannot be read. Dangerous.',
      ],
    },
  },
  'apiextensions/v1': {
    CustomResourceDefinitionCondition: {
      'observedGeneration?': ['number', 'metadata.generation that the condition was set for.'],
    },
    CustomResourceDefinitionStatus: {
      'observedGeneration?': ['number', 'metadata.generation that the status was set for.'],
    },
    JSONSchemaProps: {
      'x-kubernetes-embedded-resource?': [
        'boolean',
        'The value is a whole object with apiVersion, kind and metadata.',
      ],
      'x-kubernetes-int-or-string?': ['boolean', 'The value is an integer or a string.'],
      'x-kubernetes-list-map-keys?': [
        'Array<string>',
        'Fields that identify the items of a list of type map.',
      ],
      'x-kubernetes-list-type?': ['string', 'How the list is merged: atomic, set or map.'],
      'x-kubernetes-map-type?': ['string', 'How the map is merged: granular or atomic.'],
      'x-kubernetes-preserve-unknown-fields?': ['boolean', 'Fields that the schema does not know are kept.'],
      'x-kubernetes-validations?': ['Array<ValidationRule>', 'CEL rules.'],
    },
  },
  'authorization/v1': {
    ResourceAttributes: {
      'fieldSelector?': ['FieldSelectorAttributes', 'Field selector of the request.'],
      'labelSelector?': ['LabelSelectorAttributes', 'Label selector of the request.'],
    },
    FieldSelectorAttributes: {
      '': 'Field selector of a request, raw or parsed.',
      'rawSelector?': ['string', 'As in the query of the request.'],
      'requirements?': ['Array<FieldSelectorRequirement>', 'Parsed; all must hold.'],
    },
    FieldSelectorRequirement: {
      '': 'One requirement of a field selector.',
      key: ['string', 'The field.'],
      operator: ['string', 'In, NotIn, Exists or DoesNotExist.'],
      'values?': ['Array<string>', 'Values for In and NotIn.'],
    },
    LabelSelectorAttributes: {
      '': 'Label selector of a request, raw or parsed.',
      'rawSelector?': ['string', 'As in the query of the request.'],
      'requirements?': ['Array<LabelSelectorRequirement>', 'Parsed; all must hold.'],
    },
    ResourceRule: {
      'resources?': ['Array<string>', 'Resources of the rule; * means all.'],
      verbs: ['Array<string>', 'Verbs of the rule; * means all.'],
    },
  },
  'admissionregistration/v1': {
    NamedRuleWithOperations: {
      'resources?': ['Array<string>', 'Resources and subresources of the rule; * means all.'],
      'scope?': ['string', 'Cluster, Namespaced or *.'],
    },
    ...kindAndList(
      'MutatingAdmissionPolicy',
      'admissionregistration.k8s.io/v1',
      'Describes how objects are changed on their way in.',
      { 'spec?': ['MutatingAdmissionPolicySpec', 'What the policy looks at and what it changes.'] },
    ),
    MutatingAdmissionPolicySpec: {
      '': 'What a mutating admission policy looks at and what it changes.',
      'failurePolicy?': [
        'string',
        'What happens when the policy cannot be evaluated or is set up wrongly: Fail or Ignore. Fail when left out.',
      ],
      'matchConditions?': [
        'Array<MatchCondition>',
        'CEL conditions that a request must meet as well; all must be true.',
      ],
      'matchConstraints?': [
        'MatchResources',
        'The resources that the policy looks at. Objects of admission registration are never looked at. Required.',
      ],
      'mutations?': ['Array<Mutation>', 'The changes, applied in this order. At least one.'],
      'paramKind?': ['ParamKind', 'The kind of the parameters, if the policy takes any.'],
      'reinvocationPolicy?': [
        'string',
        'Never, or IfNeeded: called again when the object changed after its turn. Required.',
      ],
      'variables?': [
        'Array<Variable>',
        'Named expressions for the other expressions of the policy, as variables.NAME; each sees those before it.',
      ],
    },
    Mutation: {
      '': 'One change of an object.',
      'applyConfiguration?': [
        'ApplyConfiguration',
        'The change as a configuration that is merged into the object. Atomic lists, maps and structs may not be set so.',
      ],
      'jsonPatch?': ['JSONPatch', 'The change as a JSON patch.'],
      patchType: ['string', 'ApplyConfiguration or JSONPatch.'],
    },
    ApplyConfiguration: {
      '': 'A change as a configuration that is merged into the object as server-side apply does.',
      'expression?': [
        'string',
        'CEL expression that makes the configuration: Object{spec: Object.spec{replicas: 1}}. It sees object, oldObject, request, params, namespaceObject, variables and authorizer.',
      ],
    },
    JSONPatch: {
      '': 'A change as a JSON patch.',
      'expression?': [
        'string',
        'CEL expression that makes the patch: [JSONPatch{op: "add", path: "/spec/replicas", value: 1}]. It sees object, oldObject, request, params, namespaceObject, variables and authorizer.',
      ],
    },
    ...kindAndList(
      'MutatingAdmissionPolicyBinding',
      'admissionregistration.k8s.io/v1',
      'Puts a mutating admission policy to work, with parameters for it.',
      { 'spec?': ['MutatingAdmissionPolicyBindingSpec', 'The policy, its parameters and where it works.'] },
    ),
    MutatingAdmissionPolicyBindingSpec: {
      '': 'The policy of a binding, its parameters and where it works.',
      'matchResources?': ['MatchResources', 'Narrows what the policy looks at.'],
      'paramRef?': ['ParamRef', 'The parameters, of the kind that the policy names.'],
      'policyName?': ['string', 'Name of the policy.'],
    },
    RuleWithOperations: {
      'resources?': ['Array<string>', 'Resources and subresources of the rule; * means all.'],
      'scope?': ['string', 'Cluster, Namespaced or *.'],
    },
  },
  'discovery/v1': {
    EndpointHints: { 'forNodes?': ['Array<ForNode>', 'Nodes that the endpoint is meant for.'] },
    ForNode: { '': 'A node that consumes an endpoint.', name: ['string', 'Name of the node.'] },
  },
  'networking/v1': {
    ...kindAndList(
      'IPAddress',
      'networking.k8s.io/v1',
      'One IP address and what has it; the name is the address in its canonical form.',
      { 'spec?': ['IPAddressSpec', 'What has the address.'] },
    ),
    IPAddressSpec: {
      '': 'What has an IP address.',
      'parentRef?': ['ParentReference', 'The object that has the address. Required.'],
    },
    ParentReference: {
      '': 'A reference to an object.',
      'group?': ['string', 'API group of the object.'],
      'name?': ['string', 'Name of the object.'],
      'namespace?': ['string', 'Namespace of the object.'],
      'resource?': ['string', 'Resource of the object, as in services.'],
    },
    ...kindAndList(
      'ServiceCIDR',
      'networking.k8s.io/v1',
      'A range of IP addresses from which services get theirs.',
      {
        'spec?': ['ServiceCIDRSpec', 'The range.'],
        'status?': ['ServiceCIDRStatus', 'Whether the range is in use.'],
      },
    ),
    ServiceCIDRSpec: {
      '': 'A range of IP addresses.',
      'cidrs?': ['Array<string>', 'One or two CIDRs, of different address families. They cannot be changed.'],
    },
    ServiceCIDRStatus: {
      '': 'State of a range of IP addresses.',
      'conditions?': ['Array<Condition>', 'Ready tells whether services may get addresses of the range.'],
    },
  },
  'storage/v1': {
    ...kindAndList(
      'VolumeAttributesClass',
      'storage.k8s.io/v1',
      'Attributes of volumes that a CSI driver can change while a volume is in use.',
      {
        driverName: ['string', 'Name of the CSI driver. It cannot be changed.'],
        'parameters?': [
          'Map<string>',
          'What the driver is told of the volume: up to 512 parameters. They cannot be changed.',
        ],
      },
    ),
    CSIDriverSpec: {
      'nodeAllocatableUpdatePeriodSeconds?': [
        'number',
        'Seconds between updates of the number of volumes that a node can hold; at least 10.',
      ],
      'serviceAccountTokenInSecrets?': [
        'boolean',
        'Whether service account tokens reach the driver as secrets and not in the volume context.',
      ],
    },
    VolumeError: { 'errorCode?': ['number', 'gRPC code of the failure.'] },
  },
  'resource/v1': deviceTypes,
  'coordination/v1': {
    LeaseSpec: {
      'preferredHolder?': ['string', 'Who should hold the lease next.'],
      'strategy?': ['string', 'How the holder is chosen.'],
    },
  },
}

/** Types of other modules that `added` uses. */
export const imports = {
  'authorization/v1': { LabelSelectorRequirement: 'meta/v1' },
  'networking/v1': { Condition: 'meta/v1' },
  'metrics/v1beta1': {
    Duration: 'meta/v1',
    ListMeta: 'meta/v1',
    ObjectMeta: 'meta/v1',
    Quantity: 'api/resource',
    Time: 'meta/v1',
  },
  'apiregistration/v1': { ListMeta: 'meta/v1', ObjectMeta: 'meta/v1', Time: 'meta/v1' },
  'resource/v1': deviceImports,
}
/** Fields that are gone. */
export const removed = new Set(words('PodResourceClaim.source'))

/** Optional scalars that Go holds by pointer: their zero value is kept, where others lose it on the way through the server. */
export const pointers = new Set(
  words(`MatchResources.matchPolicy NamedRuleWithOperations.scope ParamRef.parameterNotFoundAction
  RuleWithOperations.scope ValidatingWebhook.failurePolicy ValidatingWebhook.matchPolicy
  ValidatingWebhook.timeoutSeconds MutatingWebhook.failurePolicy MutatingWebhook.matchPolicy
  MutatingWebhook.timeoutSeconds MutatingWebhook.reinvocationPolicy
    ValidatingAdmissionPolicySpec.failurePolicy Validation.reason MutatingAdmissionPolicySpec.failurePolicy
  ExemptPriorityLevelConfiguration.lendablePercent ExemptPriorityLevelConfiguration.nominalConcurrencyShares
  LimitedPriorityLevelConfiguration.borrowingLimitPercent LimitedPriorityLevelConfiguration.lendablePercent
  LimitedPriorityLevelConfiguration.nominalConcurrencyShares
  ExactDeviceRequest.adminAccess DeviceToleration.tolerationSeconds DeviceConstraint.matchAttribute
  DeviceConstraint.distinctAttribute DeviceAttribute.int DeviceAttribute.bool DeviceAttribute.string
  DeviceAttribute.version ResourceSliceSpec.nodeName ResourceSliceSpec.allNodes ResourceSliceSpec.perDeviceNodeSelection
  Device.nodeName Device.allNodes Device.bindsToNode Device.allowMultipleAllocations
  DeviceRequestAllocationResult.adminAccess DeviceRequestAllocationResult.shareID AllocatedDeviceStatus.shareID
  DeviceClassSpec.extendedResourceName
  CronJobSpec.timeZone JobSpec.completionMode JobSpec.managedBy JobSpec.podReplacementPolicy JobStatus.failedIndexes
  PodFailurePolicyOnExitCodesRequirement.containerName SuccessPolicyRule.succeededIndexes LeaseSpec.holderIdentity
  LeaseSpec.preferredHolder LeaseSpec.strategy AppArmorProfile.localhostProfile AzureDiskVolumeSource.cachingMode
  AzureDiskVolumeSource.fsType AzureFilePersistentVolumeSource.secretNamespace CSIVolumeSource.fsType
  ClusterTrustBundleProjection.name ClusterTrustBundleProjection.signerName Container.restartPolicy
  ContainerStatus.stopSignal EndpointAddress.nodeName core/v1:EndpointPort.appProtocol EphemeralContainer.restartPolicy
  GRPCAction.service GlusterfsPersistentVolumeSource.endpointsNamespace HostPathVolumeSource.type
  ISCSIPersistentVolumeSource.initiatorName ISCSIVolumeSource.initiatorName Lifecycle.stopSignal
  LoadBalancerIngress.ipMode LocalVolumeSource.fsType PersistentVolumeClaimSpec.storageClassName
  PersistentVolumeClaimSpec.volumeAttributesClassName PersistentVolumeClaimSpec.volumeMode
  PersistentVolumeClaimStatus.currentVolumeAttributesClassName PersistentVolumeSpec.volumeAttributesClassName
  PersistentVolumeSpec.volumeMode PodDNSConfigOption.value PodResourceClaim.resourceClaimName
  PodResourceClaim.resourceClaimTemplateName PodResourceClaimStatus.resourceClaimName PodSchedulingGroup.podGroupName
  PodSecurityContext.fsGroupChangePolicy PodSecurityContext.seLinuxChangePolicy
  PodSecurityContext.supplementalGroupsPolicy PodSpec.preemptionPolicy PodSpec.runtimeClassName PodSpec.hostnameOverride
  PortStatus.error SeccompProfile.localhostProfile SecurityContext.procMount ServicePort.appProtocol
  ServiceSpec.internalTrafficPolicy ServiceSpec.ipFamilyPolicy ServiceSpec.loadBalancerClass
  ServiceSpec.trafficDistribution TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy
  TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup TypedObjectReference.namespace
  VolumeMount.mountPropagation VolumeMount.recursiveReadOnly VolumeMountStatus.recursiveReadOnly
  WindowsSecurityContextOptions.gmsaCredentialSpec WindowsSecurityContextOptions.gmsaCredentialSpecName
  WindowsSecurityContextOptions.runAsUserName Endpoint.hostname Endpoint.nodeName Endpoint.zone
  discovery/v1:EndpointPort.appProtocol discovery/v1:EndpointPort.name discovery/v1:EndpointPort.protocol
  discovery/v1:EndpointPort.port PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy PriorityClass.preemptionPolicy
  StorageClass.reclaimPolicy StorageClass.volumeBindingMode CustomResourceDefinitionVersion.deprecationWarning
  CustomResourceSubresourceScale.labelSelectorPath JSONSchemaProps.$ref JSONSchemaProps.x-kubernetes-list-type
  JSONSchemaProps.x-kubernetes-map-type ServiceReference.path ValidationRule.reason WebhookClientConfig.url
  DeleteOptions.propagationPolicy Preconditions.resourceVersion Preconditions.uid
  ResourceHealth.message DeploymentSpec.progressDeadlineSeconds DeploymentSpec.replicas
  DeploymentSpec.revisionHistoryLimit DeploymentStatus.collisionCount ReplicaSetSpec.replicas
  StatefulSetSpec.replicas StatefulSetSpec.revisionHistoryLimit StatefulSetStatus.collisionCount
  DaemonSetSpec.revisionHistoryLimit DaemonSetStatus.collisionCount RollingUpdateStatefulSetStrategy.partition
  ReplicationControllerSpec.replicas ReplicationControllerSpec.template
  TokenRequestSpec.expirationSeconds CronJobSpec.failedJobsHistoryLimit CronJobSpec.startingDeadlineSeconds
  CronJobSpec.successfulJobsHistoryLimit JobSpec.activeDeadlineSeconds JobSpec.backoffLimit JobSpec.backoffLimitPerIndex
  JobSpec.completions JobSpec.maxFailedIndexes JobSpec.parallelism JobSpec.ttlSecondsAfterFinished JobStatus.ready
  JobStatus.terminating SuccessPolicyRule.succeededCount LeaseSpec.leaseDurationSeconds LeaseSpec.leaseTransitions
  ClientIPConfig.timeoutSeconds ConfigMapVolumeSource.defaultMode DownwardAPIVolumeFile.mode
  DownwardAPIVolumeSource.defaultMode FCVolumeSource.lun KeyToPath.mode NodeSwapStatus.capacity
  PodCertificateProjection.maxExpirationSeconds PodSecurityContext.fsGroup PodSecurityContext.runAsGroup
  PodSecurityContext.runAsUser PodSpec.activeDeadlineSeconds PodSpec.priority PodSpec.terminationGracePeriodSeconds
  Probe.terminationGracePeriodSeconds ProjectedVolumeSource.defaultMode SecretVolumeSource.defaultMode
  SecurityContext.runAsGroup SecurityContext.runAsUser ServiceAccountTokenProjection.expirationSeconds
  Toleration.tolerationSeconds TopologySpreadConstraint.minDomains JSONSchemaProps.maxItems JSONSchemaProps.maxLength
  JSONSchemaProps.maxProperties JSONSchemaProps.minItems JSONSchemaProps.minLength JSONSchemaProps.minProperties
  JSONSchemaProps.maximum JSONSchemaProps.minimum JSONSchemaProps.multipleOf
  ServiceReference.port DeleteOptions.gracePeriodSeconds ListMeta.remainingItemCount
  ObjectMeta.deletionGracePeriodSeconds CronJobSpec.suspend JobSpec.manualSelector JobSpec.suspend
  AzureDiskVolumeSource.readOnly CSIVolumeSource.readOnly ClusterTrustBundleProjection.optional ConfigMap.immutable
  ConfigMapEnvSource.optional ConfigMapKeySelector.optional ConfigMapProjection.optional ConfigMapVolumeSource.optional
  ContainerStatus.started FileKeySelector.optional NodeFeatures.supplementalGroupsPolicy
  NodeRuntimeHandlerFeatures.recursiveReadOnlyMounts NodeRuntimeHandlerFeatures.userNamespaces
  PodSecurityContext.runAsNonRoot PodSpec.automountServiceAccountToken PodSpec.enableServiceLinks PodSpec.hostUsers
  PodSpec.setHostnameAsFQDN PodSpec.shareProcessNamespace Secret.immutable SecretEnvSource.optional
  SecretKeySelector.optional SecretProjection.optional SecretVolumeSource.optional
  SecurityContext.allowPrivilegeEscalation SecurityContext.privileged SecurityContext.readOnlyRootFilesystem
  SecurityContext.runAsNonRoot ServiceAccount.automountServiceAccountToken ServiceSpec.allocateLoadBalancerNodePorts
  WindowsSecurityContextOptions.hostProcess EndpointConditions.ready EndpointConditions.serving
  EndpointConditions.terminating StorageClass.allowVolumeExpansion
  JSONSchemaProps.x-kubernetes-preserve-unknown-fields ValidationRule.optionalOldSelf DeleteOptions.orphanDependents
  DeleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential OwnerReference.blockOwnerDeletion
  OwnerReference.controller RollingUpdateDaemonSet.maxSurge RollingUpdateDaemonSet.maxUnavailable
  RollingUpdateStatefulSetStrategy.maxUnavailable
  RollingUpdateDeployment.maxSurge RollingUpdateDeployment.maxUnavailable
  PodDisruptionBudgetSpec.maxUnavailable PodDisruptionBudgetSpec.minAvailable HTTPIngressPath.pathType
  IngressSpec.ingressClassName IngressClassParametersReference.apiGroup IngressClassParametersReference.scope
  IngressClassParametersReference.namespace IngressPortStatus.error NetworkPolicyPort.protocol NetworkPolicyPort.port
  NetworkPolicyPort.endPort CSIDriverSpec.attachRequired CSIDriverSpec.fsGroupPolicy CSIDriverSpec.podInfoOnMount
  CSIDriverSpec.requiresRepublish CSIDriverSpec.seLinuxMount CSIDriverSpec.storageCapacity
  CSIDriverSpec.nodeAllocatableUpdatePeriodSeconds CSIDriverSpec.serviceAccountTokenInSecrets
  storage/v1:TokenRequest.expirationSeconds VolumeNodeResources.count VolumeAttachmentSource.persistentVolumeName
  VolumeError.errorCode CertificateSigningRequestSpec.expirationSeconds HorizontalPodAutoscalerSpec.minReplicas
  HorizontalPodAutoscalerSpec.targetCPUUtilizationPercentage HorizontalPodAutoscalerStatus.observedGeneration
  HorizontalPodAutoscalerStatus.currentCPUUtilizationPercentage MetricTarget.averageUtilization
  MetricValueStatus.averageUtilization HPAScalingRules.stabilizationWindowSeconds HPAScalingRules.selectPolicy`),
)

/** Names of Go types of fields, as decoding errors show them, where they are not those of their JSON types. */
export const goTypes = {
  'PodSpec.restartPolicy': 'v1.RestartPolicy',
  'PodSpec.dnsPolicy': 'v1.DNSPolicy',
  'PodSpec.preemptionPolicy': 'v1.PreemptionPolicy',
  'Container.imagePullPolicy': 'v1.PullPolicy',
  'Container.restartPolicy': 'v1.ContainerRestartPolicy',
  'Container.terminationMessagePolicy': 'v1.TerminationMessagePolicy',
  'ContainerPort.protocol': 'v1.Protocol',
  'ServicePort.protocol': 'v1.Protocol',
  'ServiceSpec.type': 'v1.ServiceType',
  'ServiceSpec.sessionAffinity': 'v1.ServiceAffinity',
  'Toleration.operator': 'v1.TolerationOperator',
  'Toleration.effect': 'v1.TaintEffect',
  'Taint.effect': 'v1.TaintEffect',
  'PersistentVolumeSpec.persistentVolumeReclaimPolicy': 'v1.PersistentVolumeReclaimPolicy',
  'PersistentVolumeSpec.volumeMode': 'v1.PersistentVolumeMode',
  'PersistentVolumeClaimSpec.volumeMode': 'v1.PersistentVolumeMode',
  'Secret.type': 'v1.SecretType',
  'JobSpec.completionMode': 'v1.CompletionMode',
  'CronJobSpec.concurrencyPolicy': 'v1.ConcurrencyPolicy',
  'ResourceRequirements.limits': 'v1.ResourceList',
  'ResourceRequirements.requests': 'v1.ResourceList',
  'VolumeResourceRequirements.limits': 'v1.ResourceList',
  'VolumeResourceRequirements.requests': 'v1.ResourceList',
  'ResourceQuotaSpec.hard': 'v1.ResourceList',
  'PersistentVolumeSpec.capacity': 'v1.ResourceList',
  'NodeStatus.capacity': 'v1.ResourceList',
  'NodeStatus.allocatable': 'v1.ResourceList',
  'PodSpec.overhead': 'v1.ResourceList',
  'PersistentVolumeClaimSpec.accessModes': '[]v1.PersistentVolumeAccessMode',
  'PersistentVolumeSpec.accessModes': '[]v1.PersistentVolumeAccessMode',
  'HTTPIngressPath.pathType': 'v1.PathType',
  'NetworkPolicyPort.protocol': 'v1.Protocol',
  'NetworkPolicySpec.policyTypes': '[]v1.PolicyType',
  'CSIDriverSpec.fsGroupPolicy': 'v1.FSGroupPolicy',
  'CSIDriverSpec.volumeLifecycleModes': '[]v1.VolumeLifecycleMode',
  'Overhead.podFixed': 'v1.ResourceList',
  'ObjectMeta.uid': 'types.UID',
  'OwnerReference.uid': 'types.UID',
  'CertificateSigningRequestSpec.usages': '[]v1.KeyUsage',
  'CertificateSigningRequestCondition.type': 'v1.RequestConditionType',
  'CertificateSigningRequestCondition.status': 'v1.ConditionStatus',
  'HPAScalingPolicy.type': 'v2.HPAScalingPolicyType',
  'HPAScalingRules.selectPolicy': 'v2.ScalingPolicySelect',
  'MetricSpec.type': 'v2.MetricSourceType',
  'MetricTarget.type': 'v2.MetricTargetType',
}

/** Structs that Go holds by value, so that every object has them, beside all those called `spec`, `status`, `metadata` or `template`. */
export const valueStructs = new Set(
  words(`Container.resources EphemeralContainer.resources PersistentVolumeClaimSpec.resources DeploymentSpec.strategy
  StatefulSetSpec.updateStrategy DaemonSetSpec.updateStrategy
  ServiceStatus.loadBalancer NodeStatus.nodeInfo NodeStatus.daemonEndpoints NodeDaemonEndpoints.kubeletEndpoint
  core/v1:Event.source ContainerStatus.state ContainerStatus.lastState CronJobSpec.jobTemplate
  IngressStatus.loadBalancer IngressServiceBackend.port HTTPIngressPath.backend NetworkPolicySpec.podSelector
  VolumeAttachmentSpec.source FlowSchemaSpec.priorityLevelConfiguration
  LimitedPriorityLevelConfiguration.limitResponse ValidatingWebhook.clientConfig MutatingWebhook.clientConfig
  HorizontalPodAutoscalerSpec.scaleTargetRef ResourceMetricSource.target
  ContainerResourceMetricSource.target PodsMetricSource.metric PodsMetricSource.target ObjectMetricSource.metric
  ObjectMetricSource.target ObjectMetricSource.describedObject ExternalMetricSource.metric ExternalMetricSource.target
  ResourceClaimSpec.devices AllocationResult.devices
  ResourceSliceSpec.pool`),
)
