import { UserError } from '../errors.ts'
import { isStatus, type KubeClient, kinds } from '../kube/index.ts'
import { type Account, describeAccount } from './account.ts'
import { renewalSeconds } from './renewal.ts'

/**
 * As an admin, makes the first token of a user's kubeconfig. It dies with the account.
 *
 * @throws {UserError} `NOT_FOUND` when the account does not exist in the cluster.
 */
export async function issueFirstToken(
  client: KubeClient,
  account: Account,
  options: { lifetimeSeconds?: number; signal?: AbortSignal } = {},
): Promise<string> {
  try {
    const answer = await client.createSub<{ status?: { token?: string } }>(
      kinds.serviceAccounts,
      account,
      'token',
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: options.lifetimeSeconds ?? renewalSeconds },
      },
      options.signal && { signal: options.signal },
    )
    const token = answer.status?.token
    if (token === undefined)
      throw new UserError('REJECTED', `the cluster gave no token for "${describeAccount(account)}"`)
    return token
  } catch (error) {
    if (isStatus(error, 'NotFound')) throw noSuchAccount(account, error)
    throw error
  }
}

function noSuchAccount(account: Account, cause: unknown): UserError {
  return new UserError('NOT_FOUND', `account "${describeAccount(account)}" does not exist in the cluster`, {
    hint: 'make it from the organisation file with: arena org apply',
    cause,
  })
}

/**
 * As an admin, makes the kind of token that never expires: a secret that the server fills. It lasts until the secret or
 * the account is deleted.
 *
 * @throws {UserError} `NOT_FOUND` without the account; `TIMEOUT` when the server does not fill the secret.
 */
export async function issueStaticToken(
  client: KubeClient,
  account: Account,
  options: { labels: Readonly<Record<string, string>>; signal?: AbortSignal },
): Promise<string> {
  const { namespace } = account
  const name = `${account.name}-token`
  await client.get(kinds.serviceAccounts, account).catch((error: unknown) => {
    throw isStatus(error, 'NotFound') ? noSuchAccount(account, error) : error
  })
  await client.patch(
    kinds.secrets,
    { namespace, name },
    {
      type: 'apply',
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name,
          namespace,
          labels: options.labels,
          annotations: { 'kubernetes.io/service-account.name': account.name },
        },
        type: 'kubernetes.io/service-account-token',
      },
    },
    { fieldManager: 'arena', force: true },
  )
  const patience = AbortSignal.timeout(10_000)
  const signal = options.signal ? AbortSignal.any([options.signal, patience]) : patience
  try {
    const watch = client.watch(kinds.secrets, { namespace, fieldSelector: `metadata.name=${name}`, signal })
    for await (const { object } of watch) {
      const token = object.data?.['token']
      if (token !== undefined && token !== '') return Buffer.from(token, 'base64').toString('utf8')
    }
  } catch (error) {
    if (!patience.aborted) throw error
  }
  throw new UserError('TIMEOUT', `the cluster did not fill the secret "${namespace}/${name}" with a token`, {
    hint: 'the token controller may be off; use a kubeconfig without --static',
  })
}
