import type {
  MutatingWebhook,
  RuleWithOperations,
  ValidatingWebhook,
} from 'kubernetes-types/admissionregistration/v1.js'
import { duplicate, type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import { optionalChoice, validateLabelSelector } from '../../validation/checks.ts'
import { dnsSubdomain } from '../../validation/names.ts'
import {
  clientConfigFaults,
  reviewVersionFaults,
  setClientDefaults,
} from '../../validation/webhook-client.ts'
import { conditionFaults, type ExpressionCheck } from '../admission-policy/match-conditions.ts'
import { ruleFaults } from '../admission-policy/match-resources.ts'

/** The typed API this program is built with has lost the scope of rules. */
type Rule = RuleWithOperations & { scope?: string }

/** One webhook of either kind of configuration. */
export type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>

export function setWebhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  for (const rule of (webhook.rules ?? []) as Rule[]) rule.scope ??= '*'
  setClientDefaults(webhook.clientConfig)
}

/** Faults of all webhooks of a configuration. */
export function webhooksFaults(webhooks: readonly Webhook[], checkExpression?: ExpressionCheck): Fault[] {
  const names = new Set<string>()
  return webhooks.flatMap((webhook, index) => {
    const path = `webhooks[${index}]`
    const faults = [
      ...webhookFaults(path, webhook, checkExpression),
      ...reviewVersionFaults(
        `${path}.admissionReviewVersions`,
        webhook.admissionReviewVersions ?? [],
        'must specify one of v1, v1beta1',
      ),
    ]
    const { name } = webhook
    if (name && names.has(name)) faults.push(duplicate(`${path}.name`, name))
    names.add(name)
    return faults
  })
}

function webhookFaults(path: string, webhook: Webhook, checkExpression?: ExpressionCheck): Fault[] {
  const { timeoutSeconds: timeout } = webhook
  return [
    ...nameFaults(`${path}.name`, webhook.name),
    ...(webhook.rules ?? []).flatMap((rule, index) => ruleFaults(`${path}.rules[${index}]`, rule)),
    ...optionalChoice(`${path}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore']),
    ...optionalChoice(`${path}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact']),
    ...sideEffectFaults(`${path}.sideEffects`, webhook.sideEffects),
    ...(timeout !== undefined && (timeout < 1 || timeout > 30)
      ? [
          invalidValue(
            `${path}.timeoutSeconds`,
            timeout,
            'the timeout value must be between 1 and 30 seconds',
          ),
        ]
      : []),
    ...validateLabelSelector(`${path}.namespaceSelector`, webhook.namespaceSelector),
    ...validateLabelSelector(`${path}.objectSelector`, webhook.objectSelector),
    ...optionalChoice(`${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']),
    ...clientConfigFaults(`${path}.clientConfig`, webhook.clientConfig),
    ...conditionFaults(`${path}.matchConditions`, webhook.matchConditions ?? [], checkExpression),
  ]
}

function nameFaults(path: string, name: string | undefined): Fault[] {
  if (!name) return [required(path)]
  const wrong = dnsSubdomain(name)
  if (wrong.length > 0) return [invalidValue(path, name, wrong.join(','))]
  return name.split('.').length < 3
    ? [invalidValue(path, name, 'should be a domain with at least three segments separated by dots')]
    : []
}

const harmless = ['None', 'NoneOnDryRun']

function sideEffectFaults(path: string, sideEffects: string | undefined): Fault[] {
  if (sideEffects === undefined || sideEffects === null) {
    return [required(path, `must specify one of ${harmless.join(', ')}`)]
  }
  return harmless.includes(sideEffects) ? [] : [notSupported(path, sideEffects, harmless)]
}
