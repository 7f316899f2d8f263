import { request } from 'node:https'
import type { CryptoKey, JWK, KeyObject } from 'jose'
import { TokenRefusal } from './claims.ts'
import type { IssuerSettings } from './configuration.ts'

/** The keys of an issuer, fetched with the first token and again when a token names one that is not there. */
export interface Provider {
  /** The keys that a token may be signed with, by the id that it names. @throws {TokenRefusal} */
  keysFor(keyId: string | undefined, algorithm: string): Promise<readonly SigningKey[]>
}

export type SigningKey = CryptoKey | KeyObject | Uint8Array

const timeoutMs = 10_000
const longestAnswer = 1024 * 1024
/** An issuer is not asked more often, whatever tokens strangers make up. */
const betweenFetchesMs = 2000

/** @param signal ends what is under way. */
export function openProvider(
  settings: IssuerSettings,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): Provider {
  let keys: readonly JWK[] = []
  let fetching: Promise<readonly JWK[]> | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  let fault: unknown

  const fitting = (keyId: string | undefined): readonly JWK[] =>
    keys.filter(({ kid, use }) => (keyId === undefined || kid === keyId) && (use ?? 'sig') === 'sig')

  async function renew(): Promise<void> {
    if (fetching === undefined) {
      if (now() - fetchedAt < betweenFetchesMs) {
        if (fault !== undefined) throw fault
        return
      }
      fetchedAt = now()
      fetching = fetchKeys(settings, signal).finally(() => {
        fetching = undefined
      })
    }
    try {
      keys = await fetching
      fault = undefined
    } catch (error) {
      fault = error
      throw error
    }
  }

  return {
    async keysFor(keyId, algorithm) {
      if (fitting(keyId).length === 0) await renew()
      const { importJWK } = await import('jose')
      const kind = algorithm.startsWith('ES') ? 'EC' : 'RSA'
      const found = fitting(keyId).filter(({ kty, alg = algorithm }) => kty === kind && alg === algorithm)
      return Promise.all(found.map((key) => importJWK(key, algorithm))).catch((cause: unknown) => {
        throw new TokenRefusal(`a key of "${settings.url}" is no use: ${String(cause)}`, { cause })
      })
    },
  }
}

async function fetchKeys(settings: IssuerSettings, signal: AbortSignal): Promise<readonly JWK[]> {
  const { url, discoveryUrl = `${url.replace(/\/$/, '')}/.well-known/openid-configuration` } = settings
  const configuration = await fetchObject(discoveryUrl, settings, signal)
  const issuer = configuration['issuer']
  if (issuer !== url) {
    throw new TokenRefusal(
      `issuer did not match the issuer returned by provider, expected "${url}" got "${String(issuer)}"`,
    )
  }
  const place = configuration['jwks_uri']
  if (typeof place !== 'string') throw new TokenRefusal(`"${discoveryUrl}" names no jwks_uri`)
  const { keys } = await fetchObject(place, settings, signal)
  if (Array.isArray(keys)) return keys.filter(isKey)
  throw new TokenRefusal(`"${place}" holds no keys`)
}

function isKey(value: unknown): value is JWK {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'kty') === 'string'
}

async function fetchObject(
  url: string,
  { certificateAuthority }: IssuerSettings,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw new TokenRefusal(`"${url}" is no https address`)
  }
  const options = {
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    headers: { accept: 'application/json' },
    // Asked seldom: no connection is kept.
    agent: false,
    ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
  }
  try {
    const value: unknown = JSON.parse(await fetchText(url, options))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
    throw new TokenRefusal(`get "${url}": the answer is no object`)
  } catch (cause) {
    if (cause instanceof TokenRefusal) throw cause
    // Whatever the network or a foreign server does is no fault of ours.
    throw new TokenRefusal(`get "${url}": ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

function fetchText(url: string, options: Parameters<typeof request>[1]): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
        if (text.length > longestAnswer) answer.destroy(new Error('the answer is too long'))
      })
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(text)
        else reject(new Error(`it answers with status ${answer.statusCode ?? 0}`))
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
