import { access, constants, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { UserError } from '../../errors.ts'
import {
  type Account,
  type ClusterAddress,
  issueFirstToken,
  issueStaticToken,
  kubeconfigText,
} from '../../credentials/index.ts'
import { connectionOf, isStatus, type KubeClient, kinds, readKubeconfig } from '../../kube/index.ts'
import { labels } from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'

/** The cluster of the session, as it goes into kubeconfigs of others. */
export async function clusterAddress(input: Input, context: CommandContext): Promise<ClusterAddress> {
  const { environment } = context
  const file = input.text('config')
  const config = await readKubeconfig({ environment, ...(file !== undefined && file !== '' && { file }) })
  const chosen = input.text('context')
  const connection = await connectionOf(config, {
    environment,
    ...(chosen !== undefined && { context: chosen }),
  })
  const { server, certificateAuthority, tlsServerName, insecureSkipTlsVerify } = connection
  return {
    server,
    ...(certificateAuthority !== undefined && { certificateAuthority }),
    ...(tlsServerName !== undefined && { tlsServerName }),
    ...(insecureSkipTlsVerify === true && { insecureSkipTlsVerify }),
  }
}

/**
 * Finds a user's account in the cluster: for a group that the user is in, the one of the home group; for any other, one of
 * the name made by hand there.
 *
 * @throws {UserError} `NOT_FOUND`
 */
export async function findUserAccount(
  client: KubeClient,
  user: string,
  group: string | undefined,
): Promise<Account> {
  const labelSelector = `${labels.user}=${user}`
  const { items } = await client.list(kinds.serviceAccounts, { labelSelector })
  const found = items.find(({ metadata }) => metadata.name === user)
  const account = found && { namespace: found.metadata.namespace ?? '', name: user }
  if (account !== undefined && (group === undefined || group === account.namespace)) return account
  if (group === undefined) {
    throw new UserError('NOT_FOUND', `user "${user}" has no account in the cluster`, {
      hint: 'make it with: arena org apply; or name the namespace of an account made by hand with -n',
    })
  }
  const bindings = await client.list(kinds.roleBindings, { labelSelector: `${labelSelector},${labels.role}` })
  const groups = [...new Set(bindings.items.map(({ metadata }) => metadata.namespace ?? ''))].sort()
  if (account !== undefined && groups.includes(group)) return account
  if (await isThere(client, { namespace: group, name: user })) return { namespace: group, name: user }
  throw new UserError(
    'NOT_FOUND',
    account === undefined
      ? `user "${user}" has no account in namespace "${group}"`
      : `user "${user}" is not in group "${group}"`,
    {
      hint:
        account === undefined
          ? 'make it with: arena org apply; or name the namespace of an account made by hand with -n'
          : `${user} is in: ${groups.join(', ') || 'no group'}; home is ${account.namespace}, which counts without -n`,
    },
  )
}

async function isThere(client: KubeClient, account: Account): Promise<boolean> {
  try {
    await client.get(kinds.serviceAccounts, account)
    return true
  } catch (error) {
    if (isStatus(error, 'NotFound')) return false
    throw error
  }
}

/** Makes a user's kubeconfig. */
export async function makeKubeconfig(
  client: KubeClient,
  request: {
    account: Account
    namespace: string
    cluster: ClusterAddress
    isStatic: boolean
    lifetimeSeconds?: number
  },
  context: CommandContext,
): Promise<string> {
  const { account, namespace, cluster } = request
  const credential = request.isStatic
    ? {
        kind: 'static' as const,
        token: await issueStaticToken(client, account, {
          labels: { 'app.kubernetes.io/managed-by': 'arena', [labels.user]: account.name },
          signal: context.signal,
        }),
      }
    : {
        kind: 'renewed' as const,
        firstToken: await issueFirstToken(client, account, {
          ...(request.lifetimeSeconds !== undefined && { lifetimeSeconds: request.lifetimeSeconds }),
          signal: context.signal,
        }),
        command: await ownCommand(context),
      }
  return kubeconfigText({ cluster, account, namespace, credential })
}

/** How others start this program: by name where it is on the PATH, else by where it is. */
async function ownCommand(context: CommandContext): Promise<string> {
  for (const directory of (context.environment['PATH'] ?? '').split(delimiter)) {
    if (directory.startsWith('/') && (await isExecutable(join(directory, 'arena')))) return 'arena'
  }
  const started = process.argv[1] === undefined ? undefined : await realpath(process.argv[1])
  return started !== undefined && (await isExecutable(started)) ? started : 'arena'
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}
