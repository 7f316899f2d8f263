import type { Controller } from './controller.ts'
import { customResourceCleanup } from './custom-resources.ts'
import { eventExpiry } from './event-expiry.ts'
import { garbageCollector } from './garbage-collector.ts'
import { namespaceController } from './namespace.ts'
import { resourceQuotaController } from './resource-quota.ts'
import { roleAggregation } from './role-aggregation.ts'
import { rootCertificateController } from './root-certificate.ts'
import { serviceAccountController } from './service-account.ts'
import { tokenSecretController } from './token-secret.ts'
import { volumeBinderController } from './volume-binder.ts'
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
  eventExpiry,
  customResourceCleanup,
]
