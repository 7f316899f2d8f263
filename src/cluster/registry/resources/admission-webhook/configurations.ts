import type {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from 'kubernetes-types/admissionregistration/v1.js'
import type { ResourceDefinition } from '../../resource.ts'
import type { ExpressionCheck } from '../admission-policy/match-conditions.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { setWebhookDefaults, webhooksFaults } from './webhook.ts'

const common = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  namespaced: false,
  categories: ['api-extensions'],
  tracksGeneration: true,
  updateNeedsVersion: true,
} as const

const columns = [
  nameColumn,
  column<ValidatingWebhookConfiguration>(
    'Webhooks',
    'Webhooks indicates the number of webhooks registered in this configuration',
    ({ webhooks }) => webhooks?.length ?? 0,
    'integer',
  ),
  ageColumn,
]

/** Webhooks that may refuse requests, with `checkExpression` looking at the conditions under which they are asked. */
export function validatingWebhookConfigurations(checkExpression?: ExpressionCheck): ResourceDefinition {
  return define<ValidatingWebhookConfiguration>({
    ...common,
    kind: 'ValidatingWebhookConfiguration',
    plural: 'validatingwebhookconfigurations',
    setDefaults({ webhooks = [] }) {
      for (const webhook of webhooks) setWebhookDefaults(webhook)
    },
    validate: ({ webhooks = [] }) => webhooksFaults(webhooks, checkExpression),
    columns,
  })
}

/** Webhooks that may change what is written. */
export function mutatingWebhookConfigurations(checkExpression?: ExpressionCheck): ResourceDefinition {
  return define<MutatingWebhookConfiguration>({
    ...common,
    kind: 'MutatingWebhookConfiguration',
    plural: 'mutatingwebhookconfigurations',
    setDefaults({ webhooks = [] }) {
      for (const webhook of webhooks) {
        setWebhookDefaults(webhook)
        webhook.reinvocationPolicy ??= 'Never'
      }
    },
    validate: ({ webhooks = [] }) => webhooksFaults(webhooks, checkExpression),
    columns,
  })
}
