import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, writePrivateFile } from '../files.ts'
import type { Account, ClusterAddress } from './account.ts'
import type { HeldToken } from './token.ts'

/** The tokens of one account that this person's programs share. */
export interface StoredTokens {
  /** Shown to the server with every request; lasts an hour. */
  readonly access?: HeldToken
  /** Shown only to get the next tokens; lasts longer, so that a holiday does not lock anybody out. */
  readonly renewal?: HeldToken
}

/**
 * Where the tokens of an account are kept: below `~/.kube`, one file for each kubeconfig that was handed out. A new one counts
 * at once: what was kept for an earlier one may belong to an account that is gone, and would be shown for up to an hour.
 */
export function tokenFile(
  home: string,
  cluster: ClusterAddress,
  account: Account,
  firstToken: string,
): string {
  const id = createHash('sha256')
    .update([cluster.server, account.namespace, account.name, firstToken].join('\n'))
    .digest('hex')
    .slice(0, 16)
  return join(home, '.kube', 'arena', `${account.name}-${id}.json`)
}

/** Nothing when there are none yet, or the file was damaged: then the kubeconfig's own token has to do. */
export async function readTokens(file: string): Promise<StoredTokens> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return {}
    throw error
  }
  try {
    const stored: unknown = JSON.parse(text)
    const access = heldToken(field(stored, 'access'))
    const renewal = heldToken(field(stored, 'renewal'))
    return { ...(access && { access }), ...(renewal && { renewal }) }
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

function heldToken(value: unknown): HeldToken | undefined {
  const token = field(value, 'token')
  const issuedAtMs = field(value, 'issuedAtMs')
  const expiresAtMs = field(value, 'expiresAtMs')
  if (typeof token !== 'string' || typeof issuedAtMs !== 'number' || typeof expiresAtMs !== 'number')
    return undefined
  return { token, issuedAtMs, expiresAtMs }
}

export async function writeTokens(file: string, tokens: StoredTokens): Promise<void> {
  await writePrivateFile(file, JSON.stringify(tokens))
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
