import type { Admission, Admitter } from '../registry/index.ts'
import { isDeepStrictEqual } from 'node:util'
import type { AdmissionContext } from './context.ts'
import { isExempt, ruleNames } from './validating-policies/matching.ts'
import { UnusableAnswer } from './webhooks/answer.ts'
import { callWebhook, failedClosed, WebhookCallFailed } from './webhooks/call.ts'
import { configuredWebhooks, type Webhook } from './webhooks/configured.ts'
import { conditionsMet, type Invocation, invocationOf } from './webhooks/invocation.ts'
import { applyWebhookPatch } from './webhooks/patch.ts'

const configurations = 'admissionregistration.k8s.io/mutatingwebhookconfigurations'
const annotation = 'mutation.webhook.admission.k8s.io/'

/** Who is to be asked a second time. */
interface Repeats {
  /** Asked already, and willing to be asked again. */
  readonly willing: Set<Webhook>
  /** Of those, the ones behind whose back the object has changed. */
  readonly due: Set<Webhook>
}

/**
 * Asks the programs that MutatingWebhookConfigurations name, one after the other. When one has changed the object, the
 * steps before this one look at it again, and so do those webhooks that want to, once.
 *
 * @param earlier the mutating steps before this one.
 */
export function mutatingWebhooks(context: AdmissionContext, earlier: readonly Admitter[]): Admitter {
  const { reader } = context
  const webhooks = configuredWebhooks(reader, configurations)

  async function admit(admission: Admission, all: readonly Webhook[]): Promise<void> {
    const repeats: Repeats = { willing: new Set(), due: new Set() }
    if (!(await askAll(admission, all, { repeats, round: 0 }))) return
    const before = structuredClone(admission.object)
    for (const step of earlier) await step.mutate?.(admission)
    if (!isDeepStrictEqual(admission.object, before)) makeDue(repeats)
    if (repeats.due.size > 0) await askAll(admission, all, { repeats, round: 1 })
  }

  /** True when one of them has changed the object. */
  async function askAll(
    admission: Admission,
    all: readonly Webhook[],
    { repeats, round }: { readonly repeats: Repeats; readonly round: 0 | 1 },
  ): Promise<boolean> {
    let isChanged = false
    for (const [index, webhook] of all.entries()) {
      if (round === 1 && !repeats.due.has(webhook)) continue
      const invocation = invocationOf(webhook, admission, context)
      if (!invocation || !(await conditionsMet(invocation, admission, context))) continue
      if (await ask(invocation, admission, `round_${round}_index_${index}`)) {
        isChanged = true
        makeDue(repeats)
      }
      if (webhook.isReinvoked) repeats.willing.add(webhook)
    }
    return isChanged
  }

  async function ask(invocation: Invocation, admission: Admission, place: string): Promise<boolean> {
    const { webhook } = invocation
    const { request } = admission
    let isChanged = false
    try {
      const { patch } = await callWebhook(invocation, admission, context, { mayPatch: true })
      isChanged = patch ? await patchedBy(invocation, admission, patch) : false
    } catch (error) {
      if (!(error instanceof WebhookCallFailed)) throw error
      if (!webhook.failsOpen) throw failedClosed(error)
      request.annotate?.(`failed-open.${annotation}${place}`, webhook.name)
    }
    const { configuration, name } = webhook
    request.annotate?.(
      annotation + place,
      JSON.stringify({ configuration, webhook: name, mutated: isChanged }),
    )
    return isChanged
  }

  return {
    name: 'MutatingAdmissionWebhook',
    mutate(admission: Admission): Promise<void> | void {
      if (reader.count(configurations) === 0 || isExempt(admission)) return
      const all = webhooks()
      const isConcerned = all.some(({ rules }) => rules.some((rule) => ruleNames(rule, admission)))
      if (isConcerned) return admit(admission, all)
    },
  }
}

async function patchedBy(invocation: Invocation, admission: Admission, patch: string): Promise<boolean> {
  try {
    return await applyWebhookPatch(patch, invocation, admission)
  } catch (error) {
    if (!(error instanceof UnusableAnswer)) throw error
    throw new WebhookCallFailed(invocation.webhook, error.message, { cause: error })
  }
}

function makeDue({ willing, due }: Repeats): void {
  for (const webhook of willing) due.add(webhook)
  willing.clear()
}
