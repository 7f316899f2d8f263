import { isIP } from 'node:net'
import type { PeerCertificate } from 'node:tls'
import type { Address } from './resolve.ts'

/** What a failed connection or exchange is called by the API server, whose words clients and people know. */
export function inGoWords(error: unknown, { host, port }: Address): string {
  if (!(error instanceof Error)) return String(error)
  // A name with several addresses: each was tried.
  if (error instanceof AggregateError && error.errors.length > 0)
    return inGoWords(error.errors[0], { host, port })
  const code = 'code' in error ? String(error.code) : ''
  if (untrusted.has(code)) return `${verification}certificate signed by unknown authority`
  const at = 'address' in error ? String(error.address) : host
  const dial = `dial tcp ${at.includes(':') ? `[${at}]` : at}:${port}: connect: `
  switch (code) {
    case 'ECONNREFUSED':
      return `${dial}connection refused`
    case 'EHOSTUNREACH':
      return `${dial}no route to host`
    case 'ENETUNREACH':
      return `${dial}network is unreachable`
    case 'ETIMEDOUT':
      return `${dial}connection timed out`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `${verification}certificate has expired or is not yet valid`
    case 'EPROTO':
      return error.message.includes('wrong version number')
        ? 'http: server gave HTTP response to HTTPS client'
        : `remote error: ${error.message}`
    // What ends before it has said anything.
    case 'ECONNRESET':
      return 'EOF'
    default:
      return code.startsWith('HPE_')
        ? `net/http: HTTP/1.x transport connection broken: malformed HTTP response`
        : error.message
  }
}

const verification = 'tls: failed to verify certificate: x509: '

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
])

/** Why a certificate is not one of the name that was asked for. Names in the subject do not count. */
export function misnamed(name: string, { subjectaltname }: PeerCertificate): string {
  if (!subjectaltname)
    return `${verification}certificate relies on legacy Common Name field, use SANs instead`
  const names = subjectaltname.split(', ')
  const of = (kind: string): string[] =>
    names.filter((one) => one.startsWith(kind)).map((one) => one.slice(kind.length))
  const valid = isIP(name) === 0 ? of('DNS:') : of('IP Address:')
  if (valid.length > 0) return `${verification}certificate is valid for ${valid.join(', ')}, not ${name}`
  return isIP(name) === 0
    ? `${verification}certificate is not valid for any names, but wanted to match ${name}`
    : `${verification}cannot validate certificate for ${name} because it doesn't contain any IP SANs`
}

const answers: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
}

/** What an answer is called that is none of success. */
export function unsuccessful(status: number, body: string): string {
  const said = statusMessage(body)
  if (said !== undefined) return said
  const text = body.trim() === '' ? 'unknown' : body.trim().slice(0, longestAnswer)
  if (status === 403 || status === 415) return text
  const known = answers[status]
  if (known !== undefined) return known
  return status >= 500
    ? `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`
    : `the server responded with the status code ${status} but did not return more details`
}

const longestAnswer = 2048

/** Some answer with a `Status` of their own. */
function statusMessage(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'Status')
      return undefined
    return 'message' in value && typeof value.message === 'string' ? value.message : undefined
  } catch {
    // Plain text, as most answers with an error are.
    return undefined
  }
}
