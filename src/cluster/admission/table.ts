import type { Admitter } from '../registry/index.ts'
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
} from './certificate-requests.ts'
import { claimResize } from './claim-resize.ts'
import type { AdmissionContext } from './context.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { defaultTolerationSeconds } from './default-tolerations.ts'
import { limitRanger } from './limit-ranger.ts'
import { mutatingPolicies } from './mutating-policies.ts'
import { mutatingWebhooks } from './mutating-webhooks.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { podSecurity } from './pod-security.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { storageProtection } from './storage-protection.ts'
import { taintNodesByCondition } from './taint-nodes.ts'
import { validatingPolicies } from './validating-policies.ts'
import { validatingWebhooks } from './validating-webhooks.ts'

/**
 * The steps of admission in the order of kube-apiserver's default plugins. Quota comes last: what it charges must not
 * be refused by anyone after it.
 */
export function admissionSteps(context: AdmissionContext): readonly Admitter[] {
  return [
    namespaceLifecycle(context),
    limitRanger(context),
    serviceAccount(context),
    taintNodesByCondition,
    podSecurity(context),
    priority(context),
    defaultTolerationSeconds,
    defaultStorageClass(context),
    storageProtection,
    claimResize(context),
    runtimeClass(context),
    certificateApproval(context),
    certificateSigning(context),
    certificateSubjectRestriction,
    defaultIngressClass(context),
    mutatingPolicies(context),
    mutatingWebhooks(context),
    validatingPolicies(context),
    validatingWebhooks(context),
    resourceQuota(context),
  ]
}
