import type { Readable } from 'node:stream'
import type { SharedAnswer } from '../../kube/index.ts'
import type { UserInfo } from '../registry/index.ts'

/** A request as the handler sees it, whether it came over TLS or from within the process. */
export interface ApiRequest {
  readonly method: string
  /** Path and query as sent, from the root. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly user: UserInfo
  /**
   * The whole body.
   *
   * @throws {StatusError} `RequestEntityTooLarge`.
   */
  readBody(): Promise<string>
  /** The same as it comes, for who passes it on; absent where there is none, and for parts of this process. */
  readonly body?: Readable
  /** Where it came from; absent for parts of this process. */
  readonly clientAddress?: string
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal
  /** Adds an annotation to the record of this request; set by who keeps one. */
  annotate?: (key: string, value: string) => void
}

/** An answer, before it is put on a wire or handed over inside this process. */
export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** A text, or pieces as they come (watches, logs). */
  readonly body: string | Buffer | AsyncIterable<string | Uint8Array>
  /**
   * After a piece of the body is sent over a network, what comes shortly behind it may wait and go out together: encryption
   * and system calls cost by the piece.
   */
  readonly mayGather?: boolean
  /** The pieces are those of one long text that is there already. */
  readonly isList?: boolean
  /** The same for readers in this process. */
  readonly shared?: SharedAnswer
}

/** The API server without its socket. Never throws: every failure is an answer. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse>

const jsonType = 'application/json'

/** An answer whose JSON is made already, or comes piece by piece. */
export function jsonAnswer(
  status: number,
  body: ApiResponse['body'],
  warnings: readonly string[] = [],
): ApiResponse {
  return { status, headers: withWarnings({ 'content-type': jsonType }, warnings), body }
}

/** RFC 9111 section 5.5 spells warnings so; 299 is "miscellaneous persistent warning". */
export function withWarnings(
  headers: Readonly<Record<string, string>>,
  warnings: readonly string[],
): Record<string, string | readonly string[]> {
  if (warnings.length === 0) return { ...headers }
  return { ...headers, warning: warnings.map((text) => `299 - ${quoted(text)}`) }
}

/** Headers are bytes: what is beyond ASCII goes as UTF-8, as Kubernetes sends it. */
function quoted(text: string): string {
  const escaped = text.replaceAll(/\p{Cc}/gu, ' ').replaceAll(/(["\\])/g, '\\$1')
  return `"${Buffer.from(escaped, 'utf8').toString('latin1')}"`
}

/** One value of a header that may have been sent several times. */
export function headerOf(request: Pick<ApiRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
