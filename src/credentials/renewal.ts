import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from '../files.ts'
import { withLock } from '../lock.ts'
import { UserError } from '../errors.ts'
import { type Account, type ClusterAddress, describeAccount } from './account.ts'
import { requestToken, type TokenAnswer } from './request-token.ts'
import { type HeldToken, holdToken, tokenTimes } from './token.ts'
import { readTokens, type StoredTokens, tokenFile, writeTokens } from './token-store.ts'

/** What a kubeconfig says about its user. */
export interface CredentialSource {
  readonly cluster: ClusterAddress
  readonly account: Account
  /** The token the kubeconfig came with; good until the first renewal, and for its own lifetime. */
  readonly firstToken: string
}

/** What renewal touches of the outside world. */
export interface CredentialWorld {
  /** The person's home directory, below which tokens are kept. */
  readonly home: string
  now(): Date
  readonly signal?: AbortSignal
  /** The server refused the stored token: get another one. */
  readonly renewNow?: boolean
  /** For tests: asks the server. */
  readonly request?: typeof requestToken
}

const accessSeconds = 3600
/** How long a person may stay away before they need a new kubeconfig. */
export const renewalSeconds = 30 * 24 * 3600
// Renewing once a day keeps the long-lived token young without asking for two tokens every hour.
const renewalAgeMs = 24 * 3600 * 1000
// A request that is on its way must not arrive with a dead token.
const marginMs = 5 * 60 * 1000

/**
 * A token that is good for at least some minutes: the stored one, or a new one from the server. Needs no right beyond
 * making tokens for one's own account.
 *
 * @throws {UserError} `UNAUTHENTICATED` when nothing that is held is accepted any more, in words that tell an expired
 *   token from a removed account and a wrong clock; `CLUSTER_UNREACHABLE`; `FORBIDDEN`.
 */
export async function currentToken(source: CredentialSource, world: CredentialWorld): Promise<HeldToken> {
  const file = tokenFile(world.home, source.cluster, source.account, source.firstToken)
  const isGood = (held: HeldToken | undefined): held is HeldToken =>
    held !== undefined &&
    held.expiresAtMs - marginMs > world.now().getTime() &&
    // A clock that was set back would make a dead token look young.
    held.issuedAtMs <= world.now().getTime() + marginMs
  const stored = await readTokens(file)
  if (world.renewNow !== true && isGood(stored.access)) return stored.access
  await mkdir(dirname(file), { recursive: true, mode: 0o700 }).catch(ignoreUnwritable)
  return oneAtATime(file, async () => {
    // Another program may have renewed while this one waited.
    const latest = await readTokens(file)
    const isOther = world.renewNow !== true || latest.access?.token !== stored.access?.token
    if (isOther && isGood(latest.access)) return latest.access
    const renewed = await renew(source, latest, world)
    await writeTokens(file, renewed).catch(ignoreUnwritable)
    return renewed.access
  })
}

const lockPatienceMs = 10_000

/** Without a place for a lock, or when it is not given in time, the work is done all the same: twice costs a request. */
async function oneAtATime<T>(file: string, work: () => Promise<T>): Promise<T> {
  const options = { subject: 'the token', what: 'credential', patienceMs: lockPatienceMs }
  let hasBegun = false
  try {
    return await withLock(file, options, () => {
      hasBegun = true
      return work()
    })
  } catch (error) {
    if (hasBegun || !(error instanceof UserError)) throw error
    return work()
  }
}

/** A home that cannot be written to costs a request each time, but locks nobody out. */
function ignoreUnwritable(error: unknown): void {
  if (hasCode(error, 'EACCES', 'EROFS', 'EPERM', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT')) return
  throw error
}

async function renew(
  source: CredentialSource,
  stored: StoredTokens,
  world: CredentialWorld,
): Promise<StoredTokens & { access: HeldToken }> {
  const ask = (token: string, lifetimeSeconds: number): Promise<TokenAnswer> =>
    (world.request ?? requestToken)(source.cluster, source.account, {
      token,
      lifetimeSeconds,
      ...(world.signal && { signal: world.signal }),
    })
  const held = [stored.renewal?.token, source.firstToken].filter((token) => token !== undefined)
  let refused: TokenAnswer | undefined
  for (const token of new Set(held)) {
    const answer = await ask(token, accessSeconds)
    if (answer.result === 'refused') {
      refused = answer
      continue
    }
    const nowMs = world.now().getTime()
    const access = holdToken(answer.token, nowMs)
    const isYoung = token === stored.renewal?.token && nowMs - stored.renewal.issuedAtMs < renewalAgeMs
    if (isYoung) return { access, renewal: stored.renewal }
    const next = await ask(token, renewalSeconds)
    return next.result === 'granted' ? { access, renewal: holdToken(next.token, nowMs) } : { access }
  }
  throw explainRefusal(source.account, held, refused, world.now())
}

function explainRefusal(
  account: Account,
  tokens: readonly string[],
  answer: TokenAnswer | undefined,
  now: Date,
): UserError {
  const who = describeAccount(account)
  const serverTimeMs = (answer?.result === 'refused' ? answer.serverTimeMs : undefined) ?? now.getTime()
  const lastDay = Math.max(...tokens.map((token) => (tokenTimes(token)?.expiresAt ?? 0) * 1000))
  const offset = describeOffset(now.getTime() - serverTimeMs)
  const hint = `ask your admin for a new kubeconfig: arena user kubeconfig ${account.name}${offset}`
  if (lastDay > 0 && lastDay <= serverTimeMs) {
    const day = new Date(lastDay).toISOString().slice(0, 10)
    return new UserError('UNAUTHENTICATED', `the credentials of account "${who}" expired on ${day}`, { hint })
  }
  return new UserError(
    'UNAUTHENTICATED',
    `the cluster does not accept the credentials of account "${who}": the account was removed or made anew`,
    { hint },
  )
}

function describeOffset(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000)
  if (minutes < 5) return ''
  const amount = minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`
  return ` (the clock of this machine is ${amount} ${milliseconds > 0 ? 'ahead of' : 'behind'} the cluster's)`
}
