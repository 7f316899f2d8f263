import { customResourceDefinitions } from '../custom/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { validatingAdmissionPolicyBindings } from './admission-policy/binding.ts'
import type { ExpressionCheck } from './admission-policy/match-conditions.ts'
import { mutatingAdmissionPolicyBindings } from './admission-policy/mutating-binding.ts'
import { mutatingAdmissionPolicies } from './admission-policy/mutating-policy.ts'
import { validatingAdmissionPolicies } from './admission-policy/policy.ts'
import type { PolicyCheck } from './admission-policy/policy-parts.ts'
import {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from './admission-webhook/configurations.ts'
import { autoscalers } from './autoscaler/autoscaler.ts'
import { autoscalersOfVersion1 } from './autoscaler/version-1.ts'
import { certificateSigningRequests } from './certificates/signing-request.ts'
import { configMaps } from './config-map.ts'
import { cronJobs } from './cron-job.ts'
import { deviceClasses } from './devices/device-class.ts'
import { resourceClaims, resourceClaimTemplates } from './devices/resource-claim.ts'
import { resourceSlices } from './devices/resource-slice.ts'
import { endpoints } from './endpoints.ts'
import { endpointSlices } from './endpoint-slice.ts'
import { events } from './event.ts'
import { flowSchemas } from './flow-control/flow-schema.ts'
import { priorityLevelConfigurations } from './flow-control/priority-level.ts'
import { jobs } from './job/job.ts'
import { leases } from './lease.ts'
import { limitRanges } from './limit-range.ts'
import { namespaces } from './namespace.ts'
import { ingresses } from './networking/ingress.ts'
import { ingressClasses } from './networking/ingress-class.ts'
import { networkPolicies } from './networking/network-policy.ts'
import { nodes } from './node.ts'
import { persistentVolumes } from './persistent-volume.ts'
import { persistentVolumeClaims } from './persistent-volume-claim.ts'
import { podDisruptionBudgets } from './pod-disruption-budget.ts'
import { podTemplates } from './pod-template.ts'
import { pods } from './pod/pod.ts'
import { priorityClasses } from './priority-class.ts'
import { daemonSets } from './replicas/daemon-set.ts'
import { deployments } from './replicas/deployment.ts'
import { replicationControllers } from './replicas/replication-controller.ts'
import { replicaSets } from './replicas/replica-set.ts'
import { controllerRevisions } from './replicas/controller-revision.ts'
import { statefulSets } from './replicas/stateful-set.ts'
import { reportedEvents } from './reported-event.ts'
import { resourceQuotas } from './resource-quota.ts'
import { clusterRoles, roles } from './role.ts'
import { clusterRoleBindings, roleBindings } from './role-binding.ts'
import { runtimeClasses } from './runtime-class.ts'
import { secrets } from './secret.ts'
import { serviceAccounts } from './service-account.ts'
import { ipAddresses } from './networking/ip-address.ts'
import { serviceCidrs } from './networking/service-cidr.ts'
import { type AddressSpace, noSpace } from './service/ranges.ts'
import { servicesIn } from './service/service.ts'
import { csiDrivers } from './storage/csi-driver.ts'
import { csiNodes } from './storage/csi-node.ts'
import { csiStorageCapacities } from './storage/csi-storage-capacity.ts'
import { volumeAttachments } from './storage/volume-attachment.ts'
import { volumeAttributesClasses } from './storage/volume-attributes-class.ts'
import { storageClasses } from './storage-class.ts'

/** Every built-in kind that the cluster stores. */
export function builtinResources(options: {
  /** Looks at the expressions of admission policies; without it they are taken as they are. */
  readonly checkPolicy?: PolicyCheck
  /** The same of policies that change what they look at. */
  readonly checkMutatingPolicy?: PolicyCheck
  /** Looks at a condition under which an admission webhook is asked. */
  readonly checkCondition?: ExpressionCheck
  /** Decides which addresses services may have; those of the usual range when left out. */
  readonly addressSpace?: AddressSpace
}): readonly ResourceDefinition[] {
  return [
    configMaps,
    endpoints,
    events,
    limitRanges,
    namespaces,
    nodes,
    persistentVolumeClaims,
    persistentVolumes,
    pods,
    podTemplates,
    replicationControllers,
    resourceQuotas,
    secrets,
    serviceAccounts,
    servicesIn(options.addressSpace ?? noSpace),
    controllerRevisions,
    daemonSets,
    deployments,
    replicaSets,
    statefulSets,
    autoscalers,
    autoscalersOfVersion1,
    cronJobs,
    jobs,
    certificateSigningRequests,
    ingressClasses,
    ingresses,
    ipAddresses,
    networkPolicies,
    serviceCidrs,
    clusterRoleBindings,
    clusterRoles,
    roleBindings,
    roles,
    endpointSlices,
    reportedEvents,
    leases,
    podDisruptionBudgets,
    priorityClasses,
    flowSchemas,
    priorityLevelConfigurations,
    runtimeClasses,
    deviceClasses,
    resourceClaims,
    resourceClaimTemplates,
    resourceSlices,
    csiDrivers,
    csiNodes,
    csiStorageCapacities,
    storageClasses,
    volumeAttachments,
    volumeAttributesClasses,
    mutatingAdmissionPolicies(options.checkMutatingPolicy),
    mutatingAdmissionPolicyBindings,
    validatingAdmissionPolicies(options.checkPolicy),
    validatingAdmissionPolicyBindings,
    validatingWebhookConfigurations(options.checkCondition),
    mutatingWebhookConfigurations(options.checkCondition),
    customResourceDefinitions,
  ]
}

/** The built-in kinds with nobody looking at expressions. */
export const resourceTable = builtinResources({})
