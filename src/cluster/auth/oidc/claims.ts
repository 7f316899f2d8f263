import type { JwtEntry } from './configuration.ts'

/** What a token says, by the names of its claims. */
export type Claims = Readonly<Record<string, unknown>>

/** A token of a known issuer that makes nobody of its bearer. For the log alone: whoever shows it is told nothing. */
export class TokenRefusal extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(`oidc: ${message}`, options)
    this.name = 'TokenRefusal'
  }
}

/** The name that a claim holds; an e-mail address counts only when it was verified. */
export function claimedName(
  claims: Claims,
  { claim, prefix = '' }: JwtEntry['claimMappings']['username'],
): string {
  const name = claimedText(claims, claim, 'username claims')
  if (name === '') throw new TokenRefusal(`parse username claims "${claim}": claim is empty`)
  if (claim === 'email' && claims['email_verified'] !== undefined && claims['email_verified'] !== true) {
    throw new TokenRefusal(
      claims['email_verified'] === false
        ? 'email not verified'
        : "parse 'email_verified' claim: it is no boolean",
    )
  }
  return prefix + name
}

/** The text of a claim. @throws {TokenRefusal} when it is none */
export function claimedText(claims: Claims, claim: string, what: string): string {
  const value = claims[claim]
  if (typeof value === 'string') return value
  throw new TokenRefusal(
    `parse ${what} "${claim}": ${value === undefined ? 'claim not present' : 'it is no text'}`,
  )
}

/** One group or several. */
export function claimedGroups(
  claims: Claims,
  { claim, prefix = '' }: JwtEntry['claimMappings']['groups'],
): string[] {
  const value = claim === '' ? undefined : claims[claim]
  // No claim, or one that says nothing: no groups.
  if (value === undefined || value === null) return []
  const groups = Array.isArray(value) ? value : [value]
  return groups.map((group: unknown) => {
    if (typeof group === 'string') return prefix + group
    throw new TokenRefusal(`parse groups claim "${claim}": it is neither a text nor a list of texts`)
  })
}

/** @throws {TokenRefusal} when a claim does not say what it must */
export function requireClaim(claims: Claims, claim: string, requiredValue: string): void {
  const value = claims[claim]
  if (value === undefined) throw new TokenRefusal(`required claim ${claim} not present in ID token`)
  if (typeof value !== 'string') throw new TokenRefusal(`parse claim ${claim}: it is no text`)
  if (value === requiredValue) return
  throw new TokenRefusal(
    `required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`,
  )
}

/** Refuses groups that stand elsewhere, for which another server would have to be asked: without them somebody has too few or too many rights. */
export function refuseDistributed(claims: Claims, claim: string): void {
  const names = claims['_claim_names']
  if (claim === '' || claims[claim] !== undefined || typeof names !== 'object' || names === null) return
  if (!(claim in names)) return
  throw new TokenRefusal(
    `could not expand distributed claims: claim "${claim}" stands elsewhere, and is not fetched`,
  )
}
