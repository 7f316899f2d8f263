import { createHash, randomBytes } from 'node:crypto'
import type { Reader, UserInfo } from '../registry/index.ts'
import { unauthorized } from '../../kube/index.ts'
import type { AccountTokens, VerifiedToken } from './account-tokens.ts'
import type { TokenIssuers } from './oidc/issuers.ts'
import { anonymousUser, authenticated } from './users.ts'

/** Verified tokens kept in memory; each is a few hundred bytes. */
const cachedTokens = 4096
/** Longer than any token made here: hashing megabytes for strangers is not our work. */
const longestToken = 16 * 1024

/** What a TLS socket knows of the client (`tls.TLSSocket` fits). */
export interface PeerSocket {
  /** True when the certificate is signed by the cluster's authority and in its time. */
  readonly authorized: boolean
  getPeerCertificate(): PeerCertificate
}

/** The part of `tls.PeerCertificate` that counts; an empty object when the client showed none. */
export interface PeerCertificate {
  readonly subject?: { readonly CN?: string | string[]; readonly O?: string | string[] }
  readonly fingerprint256?: string
  /** As OpenSSL writes it: `Nov 24 06:00:00 2029 GMT`. */
  readonly valid_to?: string
}

/** Finds out who asks. */
export interface Authenticator {
  /**
   * Who asks: by client certificate, else by bearer token, else nobody in particular (`system:anonymous`). The same
   * credentials give the same object, so that what is computed for a user can be kept by identity. Usually answers at once;
   * a promise only for the first use of a token.
   *
   * @throws {StatusError} `Unauthorized` when credentials are there but not good.
   */
  authenticate(
    socket: PeerSocket | undefined,
    authorization: string | undefined,
  ): UserInfo | Promise<UserInfo>
  /** The user of a bearer token that is good for one of the audiences, or undefined. */
  review(
    token: string,
    audiences: readonly string[],
  ): Promise<{ user: UserInfo; audiences: readonly string[] } | undefined>
  /** A random bearer token for a part of the control plane; known to this process only and gone with it. */
  issueLoopbackToken(user: UserInfo): string
}

export function createAuthenticator(options: {
  readonly reader: Reader
  readonly tokens: AccountTokens
  /** Others whose tokens are taken. */
  readonly issuers?: TokenIssuers
  readonly now?: () => number
}): Authenticator {
  const { reader, tokens, issuers } = options
  const now = options.now ?? Date.now
  const bySocket = new WeakMap<PeerSocket, { user: UserInfo | 'none' | 'bad'; expiresAt: number }>()
  const byCertificate = new Map<string, UserInfo>()
  const byToken = new Map<string, VerifiedToken>()
  const loopback = new Map<string, UserInfo>()

  function ofSocket(socket: PeerSocket): UserInfo | 'none' | 'bad' {
    const known = bySocket.get(socket)
    // A connection may outlive the certificate that it was opened with.
    if (known) return known.expiresAt > now() ? known.user : 'bad'
    const certificate = socket.getPeerCertificate()
    const user = certificate.subject ? userOfCertificate(socket.authorized, certificate) : 'none'
    const expiresAt = certificate.valid_to ? Date.parse(certificate.valid_to) : Number.POSITIVE_INFINITY
    bySocket.set(socket, { user, expiresAt })
    return user
  }

  function userOfCertificate(isTrusted: boolean, certificate: PeerCertificate): UserInfo | 'bad' {
    const name = textsOf(certificate.subject?.CN)[0]
    if (!isTrusted || !name) return 'bad'
    const fingerprint = (certificate.fingerprint256 ?? '').replaceAll(':', '').toLowerCase()
    const known = byCertificate.get(fingerprint)
    if (known) return known
    const user = authenticated({
      name,
      groups: textsOf(certificate.subject?.O),
      ...(fingerprint && {
        extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
      }),
    })
    if (fingerprint) remember(byCertificate, fingerprint, user)
    return user
  }

  /** What the cache knows of a token, or that it is dead; undefined when it was never seen. */
  function known(key: string): VerifiedToken | 'dead' | undefined {
    const token = byToken.get(key)
    if (!token || isUsable(token)) return token
    byToken.delete(key)
    return 'dead'
  }

  function isUsable(token: VerifiedToken): boolean {
    const time = now()
    return (token.expiresAt === undefined || token.expiresAt > time) && token.isAlive(reader, time)
  }

  async function verify(token: string, key: string): Promise<VerifiedToken | undefined> {
    if (token.length > longestToken) return undefined
    const verified = (await tokens.verify(token)) ?? (await issuers?.verify(token))
    if (!verified || !isUsable(verified)) return undefined
    const kept = { ...verified, user: authenticated(verified.user) }
    remember(byToken, key, kept)
    return kept
  }

  function ofToken(token: string): UserInfo | Promise<UserInfo> {
    const own = loopback.get(token)
    if (own) return own
    const key = keyOf(token)
    const seen = known(key)
    return seen ? admitted(seen) : verify(token, key).then(admitted)
  }

  function admitted(token: VerifiedToken | 'dead' | undefined): UserInfo {
    // Tokens for others (another audience) are signed by us too, yet no credential for this server.
    if (!token || token === 'dead' || !token.audiences.includes(tokens.issuer)) throw unauthorized()
    return token.user
  }

  return {
    authenticate(socket, authorization) {
      const peer = socket ? ofSocket(socket) : 'none'
      if (typeof peer === 'object') return peer
      const token = bearerToken(authorization)
      if (token) return ofToken(token)
      if (peer === 'bad') throw unauthorized()
      return anonymousUser
    },
    async review(token, audiences) {
      const own = loopback.get(token)
      if (own) return { user: own, audiences: [tokens.issuer] }
      const key = keyOf(token)
      const verified = known(key) ?? (await verify(token, key))
      if (!verified || verified === 'dead') return undefined
      const common = verified.audiences.filter((audience) => audiences.includes(audience))
      return common.length > 0 ? { user: verified.user, audiences: common } : undefined
    },
    issueLoopbackToken(user) {
      const token = randomBytes(32).toString('base64url')
      loopback.set(token, authenticated(user))
      return token
    },
  }
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}

function remember<V>(cache: Map<string, V>, key: string, value: V): void {
  if (cache.size >= cachedTokens) {
    const oldest = cache.keys().next()
    if (!oldest.done) cache.delete(oldest.value)
  }
  cache.set(key, value)
}

function textsOf(value: string | readonly string[] | undefined): string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : [...value]
}

function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  const match = /^bearer +(\S+)\s*$/i.exec(authorization)
  return match?.[1]
}
