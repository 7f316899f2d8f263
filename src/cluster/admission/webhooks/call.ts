import { randomUUID } from 'node:crypto'
import type { Admission } from '../../registry/index.ts'
import { WebhookFailure } from '../../registry/webhooks/index.ts'
import { badRequest, internalError, type StatusError } from '../../../kube/index.ts'
import type { AdmissionContext } from '../context.ts'
import { type Answer, readAnswer, UnusableAnswer } from './answer.ts'
import type { Webhook } from './configured.ts'
import { denial } from './denial.ts'
import type { Invocation } from './invocation.ts'
import { reviewText } from './review.ts'

/** A webhook that has not answered as it should: whether the request goes on is for its failure policy to say. */
export class WebhookCallFailed extends Error {
  constructor(webhook: Webhook, why: string, options?: { cause?: unknown }) {
    super(`failed calling webhook ${JSON.stringify(webhook.name)}: ${why}`, options)
    this.name = 'WebhookCallFailed'
  }
}

/**
 * Asks a webhook about a request, and passes its warnings and audit annotations on.
 *
 * @returns its answer, which allows the request.
 * @throws {WebhookCallFailed}
 * @throws {StatusError} the refusal, when it refuses; `BadRequest` for a dry run that it cannot take part in.
 */
export async function callWebhook(
  invocation: Invocation,
  admission: Admission,
  { webhooks }: Pick<AdmissionContext, 'webhooks'>,
  how: { readonly mayPatch: boolean },
): Promise<Answer> {
  const { webhook } = invocation
  const { request } = admission
  if (request.dryRun && !webhook.allowsDryRun)
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`)
  const version = webhook.reviewVersion
  if (version === undefined)
    throw new WebhookCallFailed(
      webhook,
      'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
    )
  const uid = randomUUID()
  let answer: Answer
  try {
    const review = await reviewText(invocation, admission, { uid, version })
    const { timeoutMs } = webhook
    const text = await webhooks.post(webhook.place, review, { timeoutMs, signal: request.signal })
    answer = readAnswer(text, { uid, version, ...how })
  } catch (error) {
    throw asCallFailure(webhook, error)
  }
  for (const [key, value] of answer.annotations) request.annotate?.(`${webhook.name}/${key}`, value)
  for (const text of answer.warnings) request.warn(text)
  if (!answer.isAllowed) throw denial(webhook.name, answer.status)
  return answer
}

function asCallFailure(webhook: Webhook, error: unknown): unknown {
  if (error instanceof UnusableAnswer) return new WebhookCallFailed(webhook, error.message)
  if (!(error instanceof WebhookFailure)) return error
  const step = error.step === 'setup' ? 'could not get REST client' : 'failed to call webhook'
  return new WebhookCallFailed(webhook, `${step}: ${error.message}`, { cause: error })
}

/** The answer to a request that must not go on without its webhook. */
export function failedClosed(failure: WebhookCallFailed): StatusError {
  return internalError(failure.message, failure)
}
