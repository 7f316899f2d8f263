import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from 'kubernetes-types/admissionregistration/v1.js'
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import type {
  ControllerRevision,
  DaemonSet,
  ReplicaSet,
  StatefulSet,
  Deployment,
} from 'kubernetes-types/apps/v1.js'
import type { SelfSubjectReview, TokenReview } from 'kubernetes-types/authentication/v1.js'
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from 'kubernetes-types/authorization/v1.js'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { CronJob, Job } from 'kubernetes-types/batch/v1.js'
import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1.js'
import type { Lease } from 'kubernetes-types/coordination/v1.js'
import type {
  ConfigMap,
  Endpoints,
  Event as CoreEvent,
  LimitRange,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
} from 'kubernetes-types/core/v1.js'
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.js'
import type { Ingress } from 'kubernetes-types/networking/v1.js'
import type { RuntimeClass } from 'kubernetes-types/node/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from 'kubernetes-types/rbac/v1.js'
import type { PriorityClass } from 'kubernetes-types/scheduling/v1.js'
import type { StorageClass } from 'kubernetes-types/storage/v1.js'
import type { ResourceType } from './client.ts'
import type { ServiceCIDR } from './service-range.ts'
import type { TFJob } from './tfjob.ts'
import type { VolumeAttributesClass } from './volume-attributes-class.ts'

export type {
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  ControllerRevision,
  CoreEvent,
  CronJob,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  Endpoints,
  EndpointSlice,
  HorizontalPodAutoscaler,
  Ingress,
  Job,
  Lease,
  LimitRange,
  LocalSubjectAccessReview,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
  SubjectAccessReview,
  TokenReview,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
}
export type { PolicyRule, Subject } from 'kubernetes-types/rbac/v1.js'
export type {
  Container,
  ContainerState,
  ContainerStatus,
  EnvVar,
  NodeCondition,
  NodeSelectorTerm,
  ObjectReference,
  PodCondition,
  PodSpec,
  PodStatus,
  PodTemplateSpec,
  ResourceRequirements,
  Taint,
  Toleration,
  Volume,
  VolumeMount,
} from 'kubernetes-types/core/v1.js'

function namespaced<T>(apiVersion: string, plural: string, kind: string): ResourceType<T> {
  return { ...groupVersion(apiVersion), plural, kind, namespaced: true }
}

function clusterScoped<T>(apiVersion: string, plural: string, kind: string): ResourceType<T> {
  return { ...groupVersion(apiVersion), plural, kind, namespaced: false }
}

function groupVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** `v1`, `kubeflow.org/v1`: the `apiVersion` field of objects of a kind. */
export function apiVersionOf(type: Pick<ResourceType<unknown>, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`
}

const rbac = 'rbac.authorization.k8s.io/v1'
const authorization = 'authorization.k8s.io/v1'

/**
 * The kinds this program works with, by plural name.
 *
 * @example
 * ```ts
 * const pods = await client.list(kinds.pods, { namespace: 'dev1' })
 * ```
 */
export const kinds = {
  namespaces: clusterScoped<Namespace>('v1', 'namespaces', 'Namespace'),
  nodes: clusterScoped<Node>('v1', 'nodes', 'Node'),
  persistentVolumes: clusterScoped<PersistentVolume>('v1', 'persistentvolumes', 'PersistentVolume'),
  pods: namespaced<Pod>('v1', 'pods', 'Pod'),
  services: namespaced<Service>('v1', 'services', 'Service'),
  serviceCidrs: clusterScoped<ServiceCIDR>('networking.k8s.io/v1', 'servicecidrs', 'ServiceCIDR'),
  endpoints: namespaced<Endpoints>('v1', 'endpoints', 'Endpoints'),
  configMaps: namespaced<ConfigMap>('v1', 'configmaps', 'ConfigMap'),
  secrets: namespaced<Secret>('v1', 'secrets', 'Secret'),
  serviceAccounts: namespaced<ServiceAccount>('v1', 'serviceaccounts', 'ServiceAccount'),
  events: namespaced<CoreEvent>('v1', 'events', 'Event'),
  persistentVolumeClaims: namespaced<PersistentVolumeClaim>(
    'v1',
    'persistentvolumeclaims',
    'PersistentVolumeClaim',
  ),
  resourceQuotas: namespaced<ResourceQuota>('v1', 'resourcequotas', 'ResourceQuota'),
  limitRanges: namespaced<LimitRange>('v1', 'limitranges', 'LimitRange'),
  replicationControllers: namespaced<ReplicationController>(
    'v1',
    'replicationcontrollers',
    'ReplicationController',
  ),
  deployments: namespaced<Deployment>('apps/v1', 'deployments', 'Deployment'),
  replicaSets: namespaced<ReplicaSet>('apps/v1', 'replicasets', 'ReplicaSet'),
  daemonSets: namespaced<DaemonSet>('apps/v1', 'daemonsets', 'DaemonSet'),
  statefulSets: namespaced<StatefulSet>('apps/v1', 'statefulsets', 'StatefulSet'),
  controllerRevisions: namespaced<ControllerRevision>('apps/v1', 'controllerrevisions', 'ControllerRevision'),
  horizontalPodAutoscalers: namespaced<HorizontalPodAutoscaler>(
    'autoscaling/v2',
    'horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
  ),
  jobs: namespaced<Job>('batch/v1', 'jobs', 'Job'),
  cronJobs: namespaced<CronJob>('batch/v1', 'cronjobs', 'CronJob'),
  certificateSigningRequests: clusterScoped<CertificateSigningRequest>(
    'certificates.k8s.io/v1',
    'certificatesigningrequests',
    'CertificateSigningRequest',
  ),
  leases: namespaced<Lease>('coordination.k8s.io/v1', 'leases', 'Lease'),
  endpointSlices: namespaced<EndpointSlice>('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice'),
  podDisruptionBudgets: namespaced<PodDisruptionBudget>(
    'policy/v1',
    'poddisruptionbudgets',
    'PodDisruptionBudget',
  ),
  roles: namespaced<Role>(rbac, 'roles', 'Role'),
  roleBindings: namespaced<RoleBinding>(rbac, 'rolebindings', 'RoleBinding'),
  clusterRoles: clusterScoped<ClusterRole>(rbac, 'clusterroles', 'ClusterRole'),
  clusterRoleBindings: clusterScoped<ClusterRoleBinding>(rbac, 'clusterrolebindings', 'ClusterRoleBinding'),
  priorityClasses: clusterScoped<PriorityClass>('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass'),
  storageClasses: clusterScoped<StorageClass>('storage.k8s.io/v1', 'storageclasses', 'StorageClass'),
  volumeAttributesClasses: clusterScoped<VolumeAttributesClass>(
    'storage.k8s.io/v1',
    'volumeattributesclasses',
    'VolumeAttributesClass',
  ),
  customResourceDefinitions: clusterScoped<CustomResourceDefinition>(
    'apiextensions.k8s.io/v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
  ),
  validatingAdmissionPolicies: clusterScoped<ValidatingAdmissionPolicy>(
    'admissionregistration.k8s.io/v1',
    'validatingadmissionpolicies',
    'ValidatingAdmissionPolicy',
  ),
  validatingAdmissionPolicyBindings: clusterScoped<ValidatingAdmissionPolicyBinding>(
    'admissionregistration.k8s.io/v1',
    'validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
  ),
  tokenReviews: clusterScoped<TokenReview>('authentication.k8s.io/v1', 'tokenreviews', 'TokenReview'),
  selfSubjectReviews: clusterScoped<SelfSubjectReview>(
    'authentication.k8s.io/v1',
    'selfsubjectreviews',
    'SelfSubjectReview',
  ),
  subjectAccessReviews: clusterScoped<SubjectAccessReview>(
    authorization,
    'subjectaccessreviews',
    'SubjectAccessReview',
  ),
  localSubjectAccessReviews: namespaced<LocalSubjectAccessReview>(
    authorization,
    'localsubjectaccessreviews',
    'LocalSubjectAccessReview',
  ),
  selfSubjectAccessReviews: clusterScoped<SelfSubjectAccessReview>(
    authorization,
    'selfsubjectaccessreviews',
    'SelfSubjectAccessReview',
  ),
  selfSubjectRulesReviews: clusterScoped<SelfSubjectRulesReview>(
    authorization,
    'selfsubjectrulesreviews',
    'SelfSubjectRulesReview',
  ),
  tfJobs: namespaced<TFJob>('kubeflow.org/v1', 'tfjobs', 'TFJob'),
} as const
