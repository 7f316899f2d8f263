import type { KubeObject } from '../../kube/index.ts'
import type { AccountTokens } from './account-tokens.ts'

/** Type of the secrets that hold a token of a service account. */
export const tokenSecretType = 'kubernetes.io/service-account-token'
const accountUidAnnotation = 'kubernetes.io/service-account.uid'

/**
 * A token secret with what the server puts into it: the token, the authority's certificate, the namespace, and the
 * account's uid. Undefined when the secret has it all already, or belongs to an earlier account of that name (and should
 * be deleted).
 */
export async function fillTokenSecret(
  secret: KubeObject,
  account: KubeObject,
  options: { readonly tokens: AccountTokens; readonly authority: string },
): Promise<KubeObject | undefined> {
  const uid = secret.metadata.annotations?.[accountUidAnnotation]
  if (uid && uid !== account.metadata.uid) return undefined
  const data: Readonly<Record<string, unknown>> =
    typeof secret.data === 'object' && secret.data !== null ? { ...secret.data } : {}
  const authority = encoded(options.authority)
  const namespace = encoded(secret.metadata.namespace ?? '')
  if (uid && data.token && data['ca.crt'] === authority && data.namespace === namespace) return undefined
  const token = data.token ?? encoded(await options.tokens.mintLegacy(account, secret.metadata.name ?? ''))
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...secret.metadata.annotations, [accountUidAnnotation]: account.metadata.uid ?? '' },
    },
    data: { ...data, 'ca.crt': authority, namespace, token },
  }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64')
}
