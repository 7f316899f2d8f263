/** A user as the cluster knows them: a service account in the namespace of the home group. */
export interface Account {
  readonly namespace: string
  readonly name: string
}

export function describeAccount(account: Account): string {
  return `${account.namespace}/${account.name}`
}

/** The cluster that an account belongs to, as a kubeconfig or a credential request names it. */
export interface ClusterAddress {
  readonly server: string
  /** PEM text. */
  readonly certificateAuthority?: string
  readonly tlsServerName?: string
  readonly insecureSkipTlsVerify?: boolean
}
