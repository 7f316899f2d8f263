import type { Reader } from '../../registry/index.ts'
import type { Place } from '../../registry/webhooks/index.ts'
import type {
  MatchCondition,
  MutatingWebhook,
  ValidatingWebhook,
} from 'kubernetes-types/admissionregistration/v1.js'
import type { KubeObject } from '../../../kube/index.ts'
import { compileCondition, type Expression } from '../policies/expressions.ts'
import type { Rule } from '../policies/matching.ts'

/** Versions of AdmissionReview that are spoken here. */
export type ReviewVersion = 'v1' | 'v1beta1'

/** One webhook of a configuration, ready to be held against requests. */
export interface Webhook {
  readonly configuration: string
  readonly name: string
  readonly place: Place
  readonly rules: readonly Rule[]
  readonly takesEquivalents: boolean
  readonly selectors: Pick<ValidatingWebhook, 'namespaceSelector' | 'objectSelector'>
  readonly conditions: readonly { readonly name: string; readonly expression: Expression }[]
  /** Requests go on when it cannot be asked. */
  readonly failsOpen: boolean
  readonly timeoutMs: number
  /** The first of those it wants that is spoken here. */
  readonly reviewVersion: ReviewVersion | undefined
  readonly allowsDryRun: boolean
  /** Wants to see again what others have changed since. */
  readonly isReinvoked: boolean
}

type Configured = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>

// Objects of the store never change, so a change of one configuration leaves the others compiled.
const compiled = new WeakMap<KubeObject, readonly Webhook[]>()

/**
 * The webhooks of all configurations of a kind, by name of the configuration and then as they stand in it.
 *
 * @param resource `group/plural` of the configurations.
 */
export function configuredWebhooks(reader: Reader, resource: string): () => readonly Webhook[] {
  let cache: readonly Webhook[] = []
  let cached: number | undefined
  return () => {
    const version = reader.version(resource)
    if (cached === version) return cache
    const configurations = [...reader.list(resource)].sort((one, other) =>
      (one.metadata.name ?? '') < (other.metadata.name ?? '') ? -1 : 1,
    )
    cache = configurations.flatMap(webhooksOf)
    cached = version
    return cache
  }
}

function webhooksOf(object: KubeObject): readonly Webhook[] {
  const known = compiled.get(object)
  if (known !== undefined) return known
  const { webhooks = [] } = object as { readonly webhooks?: readonly Configured[] }
  const made = webhooks.map((one) => webhookOf(one, object.metadata.name ?? ''))
  compiled.set(object, made)
  return made
}

function webhookOf(webhook: Configured, configuration: string): Webhook {
  const { matchConditions = [], sideEffects } = webhook
  return {
    configuration,
    name: webhook.name,
    place: webhook.clientConfig,
    rules: webhook.rules ?? [],
    takesEquivalents: webhook.matchPolicy !== 'Exact',
    selectors: webhook,
    conditions: matchConditions.map(({ name, expression }: MatchCondition) => ({
      name,
      expression: compileCondition(expression),
    })),
    failsOpen: webhook.failurePolicy === 'Ignore',
    timeoutMs: (webhook.timeoutSeconds ?? 10) * 1000,
    reviewVersion: webhook.admissionReviewVersions.find(
      (one): one is ReviewVersion => one === 'v1' || one === 'v1beta1',
    ),
    allowsDryRun: sideEffects === 'None' || sideEffects === 'NoneOnDryRun',
    isReinvoked: webhook.reinvocationPolicy === 'IfNeeded',
  }
}
