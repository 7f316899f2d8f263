import { readFile } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { readTokenIssuers, type TokenIssuers } from './auth/index.ts'
import type { ClusterConfig } from './config.ts'

/** Those whose tokens are taken beside the cluster's own, when the cluster file names a configuration of them. */
export async function openTokenIssuers(
  { authentication }: ClusterConfig,
  options: { readonly signal: AbortSignal; log(line: string): void },
): Promise<TokenIssuers | undefined> {
  const { configFile } = authentication
  if (configFile === undefined) return undefined
  let text: string
  try {
    text = await readFile(configFile, 'utf8')
  } catch (cause) {
    throw new UserError(
      'FILE_UNREADABLE',
      `the authentication configuration "${configFile}" cannot be read`,
      {
        hint: 'check authentication.configFile in the cluster file',
        cause,
      },
    )
  }
  return readTokenIssuers(text, configFile, { ...options, now: Date.now })
}
