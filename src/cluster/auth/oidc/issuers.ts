import type { VerifiedToken } from '../account-tokens.ts'
import { type Claims, TokenRefusal } from './claims.ts'
import type { IssuerSettings } from './configuration.ts'
import { openProvider, type Provider } from './provider.ts'

/** Tokens that others make (OpenID Connect), of issuers that this cluster trusts. */
export interface TokenIssuers {
  /** Whom a token stands for; undefined when it is of no known issuer, or makes nobody of its bearer. */
  verify(token: string): Promise<VerifiedToken | undefined>
}

/** What is between a clock of ours and one of an issuer, for tokens that are not good yet; as in Kubernetes. */
const leewaySeconds = 300
const algorithms = new Set(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'])

/**
 * Checks tokens by the keys of their issuers: signature, issuer, audience and time, then what the rules make of the claims.
 * Whoever is refused is told nothing; the log is.
 *
 * @param audience what a token is good for that passes: this API server
 */
export function createTokenIssuers(
  issuers: readonly IssuerSettings[],
  options: {
    readonly audience: string
    readonly now: () => number
    readonly signal: AbortSignal
    log(line: string): void
  },
): TokenIssuers {
  const { audience, now, log } = options
  const known = new Map(
    issuers.map(
      (settings) => [settings.url, { settings, provider: openProvider(settings, options) }] as const,
    ),
  )
  return {
    async verify(token) {
      const issuer = known.get(issuerOf(token) ?? '')
      if (issuer === undefined) return undefined
      try {
        const claims = await verifiedClaims(token, issuer.settings, issuer.provider, now())
        return {
          user: issuer.settings.rules.userOf(claims),
          audiences: [audience],
          expiresAt: Number(claims['exp']) * 1000,
          isAlive: () => true,
        }
      } catch (error) {
        if (!(error instanceof TokenRefusal)) throw error
        log(`Unable to authenticate the request: ${error.message}`)
        return undefined
      }
    },
  }
}

/** What a token says of its issuer, before anything is known of it. */
function issuerOf(token: string): string | undefined {
  const parts = token.split('.')
  const issuer = parts.length === 3 ? decoded(parts[1] ?? '')?.['iss'] : undefined
  if (typeof issuer !== 'string') return undefined
  // An old form of this one (https://openid.net/specs/openid-connect-core-1_0.html#GoogleIss).
  return issuer === 'accounts.google.com' ? 'https://accounts.google.com' : issuer
}

function decoded(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** @throws {TokenRefusal} */
async function verifiedClaims(
  token: string,
  { audiences }: IssuerSettings,
  provider: Provider,
  nowMs: number,
): Promise<Claims> {
  const header = decoded(token.split('.')[0] ?? '')
  const algorithm = header?.['alg']
  if (typeof algorithm !== 'string' || !algorithms.has(algorithm)) {
    throw new TokenRefusal(`verify token: id token signed with unsupported algorithm "${String(algorithm)}"`)
  }
  const keyId = header?.['kid']
  const keys = await provider.keysFor(typeof keyId === 'string' ? keyId : undefined, algorithm)
  const claims = decoded(await verifiedPayload(token, keys, algorithm))
  if (claims === undefined) throw new TokenRefusal('parse claims: they are no object')
  const given = [claims['aud']].flat()
  if (!given.some((one) => typeof one === 'string' && audiences.includes(one))) {
    throw new TokenRefusal(
      `verify token: expected audience in [${audiences.join(' ')}] got [${given.map(String).join(' ')}]`,
    )
  }
  const expiry = claims['exp']
  if (typeof expiry !== 'number' || expiry * 1000 <= nowMs) {
    const when = typeof expiry === 'number' ? new Date(expiry * 1000).toISOString() : 'none'
    throw new TokenRefusal(`verify token: token is expired (Token Expiry: ${when})`)
  }
  const notBefore = claims['nbf']
  if (typeof notBefore === 'number' && notBefore - leewaySeconds > nowMs / 1000) {
    const when = new Date(notBefore * 1000).toISOString()
    throw new TokenRefusal(`verify token: current time before the nbf (not before) time: ${when}`)
  }
  return claims
}

async function verifiedPayload(
  token: string,
  keys: Awaited<ReturnType<Provider['keysFor']>>,
  algorithm: string,
): Promise<string> {
  const { compactVerify, errors } = await import('jose')
  for (const key of keys) {
    try {
      const { payload } = await compactVerify(token, key, { algorithms: [algorithm] })
      return Buffer.from(payload).toString('base64url')
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue
      // Weak keys and broken forms are the issuer's or the bearer's.
      throw new TokenRefusal(`verify token: ${String(error)}`, { cause: error })
    }
  }
  throw new TokenRefusal('verify token: failed to verify signature: failed to verify id token signature')
}
