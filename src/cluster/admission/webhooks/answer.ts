import { kindOf, syntaxErrorOf } from '../../registry/schema/index.ts'
import type { Json, JsonObject } from '../../../kube/index.ts'
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
 */
export function readAnswer(text: string, asked: Asked): Answer {
  const review = reviewIn(text, asked.version)
  const response = read(review, 'response', 'object')
  const answer = {
    isAllowed: read(response, 'allowed', 'boolean') ?? false,
    status: read(response, 'status', 'object'),
    patch: bytes(read(response, 'patch', 'string')),
    warnings: (read(response, 'warnings', 'array') ?? []).map((one) => textOf(one, 'warnings')),
    annotations: Object.entries(read(response, 'auditAnnotations', 'object') ?? {}).map(
      ([key, value]) => [key, textOf(value, 'auditAnnotations')] as const,
    ),
  }
  if (!response) throw invalid('webhook response was absent')
  const patchType = read(response, 'patchType', 'string')
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
const undecodable = (why: string): UnusableAnswer => new UnusableAnswer(`failed to call webhook: ${why}`)

function reviewIn(text: string, version: ReviewVersion): JsonObject {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch {
    throw undecodable(`couldn't get version/kind; json parse error: ${syntaxErrorOf(text)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw undecodable(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOf(value)} into Go value of type v1.TypeMeta`,
    )
  const { kind, apiVersion } = value
  const isTyped = kind !== undefined || apiVersion !== undefined
  if (isTyped && apiVersion !== `admission.k8s.io/${version}` && kind === 'AdmissionReview') {
    const other = String(apiVersion).split('/')[1]
    if (apiVersion === 'admission.k8s.io/v1' || apiVersion === 'admission.k8s.io/v1beta1')
      throw undecodable(
        `converting (${other}.AdmissionReview) to (${version}.AdmissionReview): unknown conversion`,
      )
  }
  const isKnown = !isTyped || (kind === 'AdmissionReview' && apiVersion === `admission.k8s.io/${version}`)
  if (!isKnown)
    throw undecodable(
      `no kind ${JSON.stringify(kind ?? '')} is registered for version ${JSON.stringify(apiVersion ?? '')}`,
    )
  return value
}

function checkIdentity(review: JsonObject, response: JsonObject, { uid }: Asked): void {
  const answered = read(response, 'uid', 'string') ?? ''
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

interface Shapes {
  boolean: boolean
  string: string
  object: JsonObject
  array: Json[]
}

const goTypes = { boolean: 'bool', string: 'string', object: 'object', array: '[]string' } as const

/** A field of the type that it must have; null is as good as nothing. */
function read<T extends keyof Shapes>(
  object: JsonObject | undefined,
  field: string,
  type: T,
): Shapes[T] | undefined {
  const value = object?.[field]
  if (value === undefined || value === null) return undefined
  const found = Array.isArray(value) ? 'array' : typeof value
  if (found !== type) throw undecodable(wrongType(value, field, goTypes[type]))
  // The line before has looked.
  return value as Shapes[T]
}

function textOf(value: Json | undefined, field: string): string {
  if (typeof value === 'string') return value
  throw undecodable(wrongType(value, field, 'string'))
}

function wrongType(value: Json | undefined, field: string, type: string): string {
  const path = field === 'response' ? field : `response.${field}`
  return `json: cannot unmarshal ${kindOf(value ?? null)} into Go struct field AdmissionReview.${path} of type ${type}`
}

function bytes(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64))
    throw undecodable('illegal base64 data at input byte 0')
  return Buffer.from(base64, 'base64').toString('utf8')
}
