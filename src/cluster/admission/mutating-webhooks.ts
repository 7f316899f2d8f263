import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../kube/index.ts'
import type { Admission, Admitter, Turn } from '../registry/index.ts'
import type { AdmissionContext } from './context.ts'
import { isExempt, ruleNames } from './policies/matching.ts'
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
  /** As the first turn left it. */
  object?: KubeObject | undefined
}

/**
 * Asks the programs that MutatingWebhookConfigurations name, one after the other. When one has changed the object, all
 * mutating steps look at it once more, and so do those webhooks that want to and behind whose back it was changed.
 */
export function mutatingWebhooks(context: AdmissionContext): Admitter {
  const { reader } = context
  const webhooks = configuredWebhooks(reader, configurations)
  const asked = new WeakMap<Turn, Repeats>()

  async function first(admission: Admission, turn: Turn, all: readonly Webhook[]): Promise<void> {
    const repeats: Repeats = { willing: new Set(), due: new Set() }
    asked.set(turn, repeats)
    if (await askAll(admission, all, { repeats, round: 0 })) turn.wantsSecond()
    if (repeats.willing.size > 0) repeats.object = structuredClone(admission.object)
  }

  async function second(admission: Admission, turn: Turn, all: readonly Webhook[]): Promise<void> {
    const repeats = asked.get(turn)
    if (!repeats) return
    if (!isDeepStrictEqual(admission.object, repeats.object)) makeDue(repeats)
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
    mutate(admission: Admission, turn: Turn): Promise<void> | void {
      if (reader.count(configurations) === 0 || isExempt(admission)) return
      const all = webhooks()
      const isConcerned = all.some(({ rules }) => rules.some((rule) => ruleNames(rule, admission)))
      if (isConcerned) return turn.isSecond ? second(admission, turn, all) : first(admission, turn, all)
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
