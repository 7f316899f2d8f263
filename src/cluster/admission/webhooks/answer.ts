import { decodeReview, fieldIn, textIn, WebhookFailure } from '../../registry/webhooks/index.ts'
import type { JsonObject } from '../../../kube/index.ts'
import type { ReviewVersion } from './configured.ts'

/** What a webhook has answered. */
export interface Answer {
  readonly isAllowed: boolean
  /** A `metav1.Status` as it came, when it says more. */
  readonly status: JsonObject | undefined
  /** The text of a JSON patch. */
  readonly patch: string | undefined
  readonly warnings: readonly string[]
  readonly annotations: readonly (readonly [key: string, value: string])[]
}

/** An answer that cannot be used; the message says why, in the API server's words. */
export class UnusableAnswer extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnusableAnswer'
  }
}

/** What was asked, which the answer must fit. */
export interface Asked {
  readonly uid: string
  readonly version: ReviewVersion
  readonly mayPatch: boolean
}

/**
 * Reads the text of an answered `AdmissionReview`.
 *
 * @throws {UnusableAnswer}
 * @throws {WebhookFailure} for a text that cannot be decoded.
 */
export function readAnswer(text: string, asked: Asked): Answer {
  const review = decodeReview(text, {
    kind: 'AdmissionReview',
    group: 'admission.k8s.io',
    version: asked.version,
  })
  const response = fieldIn(review, 'response', 'object')
  const answer = {
    isAllowed: fieldIn(response, 'allowed', 'boolean') ?? false,
    status: fieldIn(response, 'status', 'object'),
    patch: bytes(fieldIn(response, 'patch', 'string')),
    warnings: (fieldIn(response, 'warnings', 'array') ?? []).map((one) => textIn(one, 'warnings')),
    annotations: Object.entries(fieldIn(response, 'auditAnnotations', 'object') ?? {}).map(
      ([key, value]) => [key, textIn(value, 'auditAnnotations')] as const,
    ),
  }
  if (!response) throw invalid('webhook response was absent')
  const patchType = fieldIn(response, 'patchType', 'string')
  // The elder version is held to less.
  if (asked.version === 'v1') checkIdentity(review, response, asked)
  if (asked.mayPatch) {
    if (asked.version === 'v1') checkPatchFields(answer.patch, patchType)
    if (answer.patch && (patchType ?? 'JSONPatch') !== 'JSONPatch')
      throw new UnusableAnswer(`unsupported patch type ${JSON.stringify(patchType)}`)
  } else if (asked.version === 'v1') {
    if (answer.patch) throw invalid('validating webhook may not return response.patch')
    if (patchType !== undefined) throw invalid('validating webhook may not return response.patchType')
  }
  return answer
}

const invalid = (why: string): UnusableAnswer =>
  new UnusableAnswer(`received invalid webhook response: ${why}`)

function checkIdentity(review: JsonObject, response: JsonObject, { uid }: Asked): void {
  const answered = fieldIn(response, 'uid', 'string') ?? ''
  if (answered !== uid)
    throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(answered)}`)
  // Any other kind has been refused before.
  if (review['kind'] === undefined)
    throw invalid('expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=')
}

function checkPatchFields(patch: string | undefined, patchType: string | undefined): void {
  if (patch && patchType === undefined)
    throw invalid('webhook returned response.patch but not response.patchType')
  if (!patch && patchType !== undefined)
    throw invalid('webhook returned response.patchType but not response.patch')
  if (patchType === '') throw invalid('webhook returned invalid response.patchType of ""')
}

function bytes(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64))
    throw new WebhookFailure('call', 'illegal base64 data at input byte 0')
  return Buffer.from(base64, 'base64').toString('utf8')
}
