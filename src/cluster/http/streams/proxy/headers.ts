import type { IncomingHttpHeaders } from 'node:http'

/** What is about one connection and not about the message (https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1). */
const ofConnection = new Set([
  'connection',
  // Answered by this server.
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** What tells this server who asks: a pod that got it could ask in their name. */
const ofIdentity = /^(authorization$|impersonate-|x-remote-|x-forwarded-)/

export interface RequestOrigin {
  /** What the pod is called by. */
  readonly host: string
  /** As the client called this server, and by which path. */
  readonly forwardedHost: string | undefined
  readonly path: string
  readonly clientAddress: string | undefined
}

/** The headers of a request as the pod gets them. */
export function requestHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  origin: RequestOrigin,
): Record<string, string | string[]> {
  const dropped = namedByConnection(headers['connection'])
  const passed: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || name === 'host') continue
    if (ofConnection.has(name) || ofIdentity.test(name) || dropped.has(name)) continue
    passed[name] = typeof value === 'string' ? value : [...value]
  }
  return {
    ...passed,
    host: origin.host,
    ...(origin.forwardedHost && { 'x-forwarded-host': origin.forwardedHost }),
    'x-forwarded-proto': 'https',
    'x-forwarded-uri': origin.path,
    ...(origin.clientAddress && { 'x-forwarded-for': origin.clientAddress }),
  }
}

/** The headers of a pod's answer as the client gets them. */
export function answerHeaders(headers: IncomingHttpHeaders): Record<string, string | readonly string[]> {
  const dropped = namedByConnection(headers.connection)
  const passed: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || ofConnection.has(name) || dropped.has(name)) continue
    passed[name] = value
  }
  return passed
}

/** The headers that a message itself says are about its connection. */
function namedByConnection(value: string | readonly string[] | undefined): Set<string> {
  const text = typeof value === 'string' ? value : (value ?? []).join(',')
  return new Set(text.split(',').map((name) => name.trim().toLowerCase()))
}
