import type { Admission, Admitter } from '../registry/index.ts'
import type { AdmissionContext } from './context.ts'
import { isExempt } from './policies/matching.ts'
import { callWebhook, failedClosed, WebhookCallFailed } from './webhooks/call.ts'
import { configuredWebhooks } from './webhooks/configured.ts'
import { conditionsMet, type Invocation, invocationOf } from './webhooks/invocation.ts'

const configurations = 'admissionregistration.k8s.io/validatingwebhookconfigurations'
const failedOpen = 'failed-open.validating.webhook.admission.k8s.io/round_0_index_'

/**
 * Asks the programs that ValidatingWebhookConfigurations name, all at once
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/).
 */
export function validatingWebhooks(context: AdmissionContext): Admitter {
  const { reader } = context
  const webhooks = configuredWebhooks(reader, configurations)

  async function ask(admission: Admission, matching: readonly Invocation[]): Promise<void> {
    const invocations: Invocation[] = []
    for (const one of matching) if (await conditionsMet(one, admission, context)) invocations.push(one)
    const refusals: unknown[] = []
    await Promise.all(
      invocations.map(async (invocation, index) => {
        try {
          await callWebhook(invocation, admission, context, { mayPatch: false })
        } catch (error) {
          if (!(error instanceof WebhookCallFailed)) refusals.push(error)
          else if (!invocation.webhook.failsOpen) refusals.push(failedClosed(error))
          else admission.request.annotate?.(`${failedOpen}${index}`, invocation.webhook.name)
        }
      }),
    )
    // The first to come is told; the others have been asked for their warnings and records alone.
    if (refusals.length > 0) throw refusals[0]
  }

  return {
    name: 'ValidatingAdmissionWebhook',
    validate(admission: Admission): Promise<void> | void {
      if (reader.count(configurations) === 0 || isExempt(admission)) return
      const invocations = webhooks().flatMap((one) => invocationOf(one, admission, context) ?? [])
      if (invocations.length > 0) return ask(admission, invocations)
    },
  }
}
