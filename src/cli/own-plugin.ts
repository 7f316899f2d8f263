import { homedir } from 'node:os'
import type { CachedExecCredential, ExecConfig } from '../kube/index.ts'

/**
 * Does the work of `arena credential` inside this process: starting a second one would double the time of every command.
 * Undefined for plugins of others.
 */
export function ownPlugin(
  environment: Readonly<Record<string, string | undefined>>,
): (exec: ExecConfig) => CachedExecCredential | undefined {
  return (exec) => {
    const { clusterInfo } = exec
    const config: unknown = clusterInfo?.['config']
    if (typeof config !== 'object' || config === null) return undefined
    if (!('kind' in config) || config.kind !== 'CredentialConfig') return undefined
    let refused = false
    return {
      async get(signal) {
        const { credentialSource, currentToken } = await import('../credentials/index.ts')
        const held = await currentToken(credentialSource(clusterInfo), {
          home: environment['HOME'] ?? homedir(),
          now: () => new Date(),
          renewNow: refused,
          ...(signal && { signal }),
        })
        refused = false
        return { token: held.token, expiresAt: held.expiresAtMs }
      },
      forget() {
        refused = true
      },
    }
  }
}
