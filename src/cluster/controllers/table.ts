import type { Controller } from './controller.ts'
import { autoscalerController } from './autoscaler/autoscaler.ts'
import { certificateCleaner } from './certificate-cleaner.ts'
import { certificateSigner } from './certificate-signer.ts'
import { cronJobController } from './cron-job.ts'
import { customResourceCleanup } from './custom-resources.ts'
import { daemonSetController } from './daemon/daemon.ts'
import { deploymentController } from './deployment/deployment.ts'
import { disruptionController } from './disruption.ts'
import { endpointMirror } from './endpoint-mirror.ts'
import { endpointSliceController } from './endpoint-slices.ts'
import { endpointsController } from './endpoints.ts'
import { ephemeralVolumeController } from './ephemeral-volumes.ts'
import { eventExpiry } from './event-expiry.ts'
import { garbageCollector } from './garbage-collector.ts'
import { jobController } from './job/job.ts'
import { jobExpiry } from './job-expiry.ts'
import { namespaceController } from './namespace.ts'
import { nodeLifecycle } from './node-lifecycle.ts'
import { podGarbageCollector } from './pod-garbage.ts'
import { replicaSetController, replicationController } from './replicas/replicas.ts'
import { policyStatusController } from './policy-status.ts'
import { resourceQuotaController } from './resource-quota.ts'
import { roleAggregation } from './role-aggregation.ts'
import { rootCertificateController } from './root-certificate.ts'
import { serviceAccountController } from './service-account.ts'
import { serviceCidrController } from './service-cidrs.ts'
import { statefulSetController } from './stateful/stateful.ts'
import { taintEviction } from './taint-eviction.ts'
import { tokenSecretController } from './token-secret.ts'
import { volumeBinderController } from './volume-binder.ts'
import { attributesProtection } from './volume-attributes.ts'
import { claimProtection, volumeProtection } from './volume-protection.ts'

/** All controllers of the embedded cluster. They start together; none waits for another. */
export const controllers: readonly Controller[] = [
  serviceAccountController,
  rootCertificateController,
  tokenSecretController,
  roleAggregation,
  namespaceController,
  garbageCollector,
  resourceQuotaController,
  volumeBinderController,
  volumeProtection,
  claimProtection,
  attributesProtection,
  ephemeralVolumeController,
  endpointsController,
  endpointSliceController,
  endpointMirror,
  deploymentController,
  replicaSetController,
  replicationController,
  statefulSetController,
  daemonSetController,
  jobController,
  cronJobController,
  jobExpiry,
  disruptionController,
  autoscalerController,
  nodeLifecycle,
  taintEviction,
  podGarbageCollector,
  eventExpiry,
  customResourceCleanup,
  certificateSigner,
  certificateCleaner,
  policyStatusController,
  serviceCidrController,
]
