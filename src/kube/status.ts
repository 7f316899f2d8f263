import type { ListMeta } from './object.ts'

/** One fault of one field (`metav1.StatusCause`). */
export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

/** What a failure is about. */
export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** `metav1.Status`, the body of every failed answer and of some successful ones. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: ListMeta
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: StatusDetails
  code: number
}

/**
 * A failed request. The server throws it, the wire carries its {@link Status}, the client throws the very same class.
 * Branch on `reason` or `code`.
 */
export class StatusError extends Error {
  readonly status: Status

  constructor(status: Status, options?: { cause?: unknown }) {
    super(status.message ?? status.reason ?? `HTTP ${status.code}`, options)
    this.name = 'StatusError'
    this.status = status
  }

  get code(): number {
    return this.status.code
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** What an error message names: the resource (plural) or kind, its group ('' for core) and the object's name. */
export interface Named {
  /** Plural resource name, as in `pods`; for `Invalid` the kind, as in `Pod`. */
  readonly kind: string
  readonly group?: string
  readonly name?: string
}

/** `pods`, `tfjobs.kubeflow.org`: how messages spell a resource or kind with its group. */
function qualified(what: Named): string {
  return what.group ? `${what.kind}.${what.group}` : what.kind
}

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details && { details }),
    code,
  })
}

function detailsOf(what: Named): StatusDetails {
  return {
    ...(what.name && { name: what.name }),
    ...(what.group && { group: what.group }),
    kind: what.kind,
  }
}

/** 400: the request makes no sense. */
export const badRequest = (message: string): StatusError => failure(400, 'BadRequest', message)
/** 401: nobody knows who asks. */
export const unauthorized = (): StatusError => failure(401, 'Unauthorized', 'Unauthorized')
/** 404: there is no such object. */
export const notFound = (what: Named): StatusError =>
  failure(404, 'NotFound', `${qualified(what)} "${what.name ?? ''}" not found`, detailsOf(what))
/** The path names no resource that is served. */
export const noSuchResource = (): StatusError =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {})
/** 409: there is an object of that name. */
export const alreadyExists = (what: Named): StatusError =>
  failure(409, 'AlreadyExists', `${qualified(what)} "${what.name ?? ''}" already exists`, detailsOf(what))
/** 409: the object is not as the request takes it to be. */
export const conflict = (what: Named, why: string): StatusError =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(what)} "${what.name ?? ''}": ${why}`,
    detailsOf(what),
  )
/** Refused by authorisation or admission. Without a name the message speaks of the resource alone. */
export const forbidden = (what: Named, why: string, causes?: StatusCause[]): StatusError =>
  failure(403, 'Forbidden', `${qualified(what)}${what.name ? ` "${what.name}"` : ''} is forbidden: ${why}`, {
    ...detailsOf(what),
    ...(causes && { causes }),
  })
/** `what.kind` is the kind here (`Pod`), as Kubernetes does. One cause is written out, several in brackets. */
export const invalid = (what: Named, causes: StatusCause[]): StatusError => {
  const lines = causes.map((cause) =>
    cause.field ? `${cause.field}: ${cause.message ?? ''}` : (cause.message ?? ''),
  )
  const list = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  return failure(422, 'Invalid', `${qualified(what)} "${what.name ?? ''}" is invalid: ${list ?? ''}`, {
    ...detailsOf(what),
    causes,
  })
}
/** 415: the body is of a form that is not read there. */
export const unsupportedMediaType = (message: string, details?: StatusDetails): StatusError =>
  failure(415, 'UnsupportedMediaType', message, details)
/** 406: no form that is accepted can be answered. */
export const notAcceptable = (message: string): StatusError => failure(406, 'NotAcceptable', message, {})
/** 405: the resource has no such verb. */
export const methodNotAllowed = (message: string): StatusError =>
  failure(405, 'MethodNotAllowed', message, {})
/** 413: the body is beyond the limit. */
export const requestTooLarge = (message: string): StatusError =>
  failure(413, 'RequestEntityTooLarge', message)
/** 429: to be asked again after that many seconds. */
export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  failure(429, 'TooManyRequests', message, { retryAfterSeconds })
/** The version asked for is older than the history kept. */
export const expired = (message: string): StatusError => failure(410, 'Expired', message)
/** 500: our fault; `cause` is for the log alone. */
export const internalError = (message: string, cause?: unknown): StatusError =>
  new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${message}`,
      reason: 'InternalError',
      details: { causes: [{ message }] },
      code: 500,
    },
    { cause },
  )
/** 503: not now. */
export const serviceUnavailable = (message: string): StatusError =>
  failure(503, 'ServiceUnavailable', message)

/** True for a {@link StatusError} with that reason. */
export function isStatus(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason
}
