import { type JsonObject, type StatusCause, type StatusDetails, StatusError } from '../../../kube/index.ts'

/** A webhook's refusal, with the code, the reason and the details that it gives. */
export function denial(webhook: string, given: JsonObject = {}): StatusError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`
  const reason = text(given['reason'])
  const why = text(given['message']) ?? reason
  const details = detailsOf(given['details'])
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: why === undefined ? `${denied} without explanation` : `${denied}: ${why}`,
    ...(reason !== undefined && { reason }),
    ...(details && { details }),
    code: failureCode(given['code']),
  })
}

/** A refusal is no success, whatever number comes with it. */
function failureCode(code: unknown): number {
  return typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599 ? code : 400
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What the details of a status may hold; anything else that came along is left behind. */
function detailsOf(value: unknown): StatusDetails | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { name, group, kind, uid, causes, retryAfterSeconds: seconds } = value as Record<string, unknown>
  const texts = Object.entries({ name, group, kind, uid }).filter(([, one]) => text(one) !== undefined)
  return {
    ...Object.fromEntries(texts),
    ...(Array.isArray(causes) && { causes: causes.map(causeOf) }),
    ...(typeof seconds === 'number' && Number.isInteger(seconds) && { retryAfterSeconds: seconds }),
  }
}

function causeOf(value: unknown): StatusCause {
  const { reason, message, field } = (value ?? {}) as Record<string, unknown>
  const texts = Object.entries({ reason, message, field }).filter(([, one]) => text(one) !== undefined)
  return Object.fromEntries(texts)
}
