/** A token with the times its server put into it, in seconds since 1970 by the server's clock. */
export interface TokenTimes {
  readonly issuedAt: number
  readonly expiresAt: number
}

/**
 * Reads the times of a service account token without verifying it: the server does that. Undefined for a token that
 * says nothing about time.
 */
export function tokenTimes(token: string): TokenTimes | undefined {
  const payload = token.split('.')[1]
  if (payload === undefined) return undefined
  let claims: unknown
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof claims !== 'object' || claims === null) return undefined
  const expiresAt: unknown = Reflect.get(claims, 'exp')
  const issuedAt: unknown = Reflect.get(claims, 'iat')
  if (typeof expiresAt !== 'number' || typeof issuedAt !== 'number') return undefined
  return { issuedAt, expiresAt }
}

/** Moves a token's times to the local clock, which may be wrong: what counts is how long the token lasts. */
export interface HeldToken {
  readonly token: string
  /** Milliseconds since 1970 by the local clock. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

export function holdToken(token: string, nowMs: number): HeldToken {
  const times = tokenTimes(token)
  // A token without times is used, but asked for again soon.
  const lifetimeMs = times === undefined ? 600_000 : (times.expiresAt - times.issuedAt) * 1000
  return { token, issuedAtMs: nowMs, expiresAtMs: nowMs + lifetimeMs }
}
