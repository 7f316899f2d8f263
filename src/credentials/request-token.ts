import { UserError } from '../errors.ts'
import { type KubeResponse, openHttpsTransport } from '../kube/index.ts'
import { type Account, type ClusterAddress, describeAccount } from './account.ts'

/** The answer to a request for a token. */
export type TokenAnswer =
  | { readonly result: 'granted'; readonly token: string }
  /** The token that was shown is not accepted. `serverTimeMs` is the server's clock. */
  | { readonly result: 'refused'; readonly serverTimeMs?: number }

/**
 * Asks for a token for one's own account, showing one that is still good.
 *
 * @throws {UserError} `CLUSTER_UNREACHABLE`, or `FORBIDDEN` when the account may not renew its own token.
 */
export async function requestToken(
  cluster: ClusterAddress,
  account: Account,
  request: { token: string; lifetimeSeconds: number; signal?: AbortSignal },
): Promise<TokenAnswer> {
  const { transport, close } = await openHttpsTransport(cluster)
  try {
    const place = `/api/v1/namespaces/${encodeURIComponent(account.namespace)}/serviceaccounts`
    const response = await transport({
      method: 'POST',
      path: `${place}/${encodeURIComponent(account.name)}/token`,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        authorization: `Bearer ${request.token}`,
      },
      body: JSON.stringify({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: request.lifetimeSeconds },
      }),
      ...(request.signal && { signal: request.signal }),
    })
    const text = await bodyOf(response)
    if (response.status === 401) {
      const serverTimeMs = Date.parse(response.headers['date'] ?? '')
      return { result: 'refused', ...(!Number.isNaN(serverTimeMs) && { serverTimeMs }) }
    }
    const token = response.status < 300 ? tokenIn(text) : undefined
    if (token !== undefined) return { result: 'granted', token }
    throw refusal(account, response.status, text)
  } finally {
    close()
  }
}

async function bodyOf(response: KubeResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function tokenIn(text: string): string | undefined {
  const status = field(parse(text), 'status')
  const token = field(status, 'token')
  return typeof token === 'string' && token !== '' ? token : undefined
}

function refusal(account: Account, status: number, text: string): UserError {
  const who = describeAccount(account)
  if (status === 403 || status === 404) {
    return new UserError('FORBIDDEN', `account "${who}" may not renew its own token`, {
      hint: 'ask your admin to run: arena org apply',
    })
  }
  const message = field(parse(text), 'message')
  return new UserError(
    'REJECTED',
    `the cluster gave no token for account "${who}": ${typeof message === 'string' ? message : `HTTP ${status}`}`,
    { hint: 'try again; if it persists, ask your admin' },
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
