import type { Account, ClusterAddress } from './account.ts'

/** Under this name Kubernetes hands a part of the cluster entry to the plugin. */
export const pluginExtension = 'client.authentication.k8s.io/exec'

/** What a kubeconfig of a user is made of. */
export interface KubeconfigContent {
  readonly cluster: ClusterAddress
  readonly account: Account
  /** The group to work in. */
  readonly namespace: string
  readonly credential:
    | {
        /** Renewed by the plugin. */
        readonly kind: 'renewed'
        readonly firstToken: string
        /** How the plugin is called: `arena`, or a path. */
        readonly command: string
      }
    | { readonly kind: 'static'; readonly token: string }
}

/** The text of a kubeconfig for one user: JSON, which is YAML, and quicker to read. */
export function kubeconfigText(content: KubeconfigContent): string {
  const { cluster, account, credential } = content
  const extension = {
    name: pluginExtension,
    extension: {
      apiVersion: 'arena.dev/v1',
      kind: 'CredentialConfig',
      account,
      ...(credential.kind === 'renewed' && { firstToken: credential.firstToken }),
    },
  }
  const user =
    credential.kind === 'static'
      ? { token: credential.token }
      : {
          exec: {
            // The version that kubectl knows since 1.20; `/v1` came with 1.22 only, and newer ones know both.
            apiVersion: 'client.authentication.k8s.io/v1beta1',
            command: credential.command,
            args: ['credential'],
            interactiveMode: 'Never',
            provideClusterInfo: true,
            installHint: 'The credentials are renewed by arena, which must be installed and on the PATH.',
          },
        }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': account.name,
    contexts: [
      { name: account.name, context: { cluster: 'arena', user: account.name, namespace: content.namespace } },
    ],
    clusters: [
      {
        name: 'arena',
        cluster: {
          server: cluster.server,
          ...(cluster.certificateAuthority !== undefined && {
            'certificate-authority-data': Buffer.from(cluster.certificateAuthority).toString('base64'),
          }),
          ...(cluster.tlsServerName !== undefined && { 'tls-server-name': cluster.tlsServerName }),
          ...(cluster.insecureSkipTlsVerify === true && { 'insecure-skip-tls-verify': true }),
          ...(credential.kind === 'renewed' && { extensions: [extension] }),
        },
      },
    ],
    users: [{ name: account.name, user }],
  }
  return `${JSON.stringify(config, undefined, 2)}\n`
}
