import { UserError } from '../errors.ts'
import { type CredentialSource } from './renewal.ts'
import type { HeldToken } from './token.ts'

/** A request of kubectl or another client to its plugin, from `KUBERNETES_EXEC_INFO`. */
export interface PluginRequest {
  readonly apiVersion: string
  readonly source: CredentialSource
}

/**
 * Reads what a client hands to its credential plugin
 * (https://kubernetes.io/docs/reference/config-api/client-authentication.v1/).
 *
 * @throws {UserError} `CONFIG_INVALID` when it lacks what the plugin needs.
 */
export function readPluginRequest(text: string): PluginRequest {
  let info: unknown
  try {
    info = JSON.parse(text)
  } catch (error) {
    throw invalid('KUBERNETES_EXEC_INFO is no JSON', error)
  }
  const cluster = field(field(info, 'spec'), 'cluster')
  const apiVersion = stringIn(field(info, 'apiVersion')) ?? 'client.authentication.k8s.io/v1'
  return { apiVersion, source: credentialSource(cluster) }
}

/**
 * Reads the cluster part of such a request, which has the fields of a kubeconfig's cluster and our own part as `config`.
 *
 * @throws {UserError} `CONFIG_INVALID`
 */
export function credentialSource(cluster: unknown): CredentialSource {
  const config = field(cluster, 'config')
  const server = stringIn(field(cluster, 'server'))
  const namespace = stringIn(field(field(config, 'account'), 'namespace'))
  const name = stringIn(field(field(config, 'account'), 'name'))
  const firstToken = stringIn(field(config, 'firstToken'))
  if (server === undefined || namespace === undefined || name === undefined || firstToken === undefined) {
    throw invalid('it does not name a server, an account and a token')
  }
  const authority = stringIn(field(cluster, 'certificate-authority-data'))
  const tlsServerName = stringIn(field(cluster, 'tls-server-name'))
  return {
    cluster: {
      server,
      ...(authority !== undefined && {
        certificateAuthority: Buffer.from(authority, 'base64').toString('utf8'),
      }),
      ...(tlsServerName !== undefined && { tlsServerName }),
      ...(field(cluster, 'insecure-skip-tls-verify') === true && { insecureSkipTlsVerify: true }),
    },
    account: { namespace, name },
    firstToken,
  }
}

/** The plugin's answer, with a time of expiry by the local clock, as clients compare it with theirs. */
export function pluginAnswer(request: PluginRequest, held: HeldToken): string {
  return JSON.stringify({
    apiVersion: request.apiVersion,
    kind: 'ExecCredential',
    status: {
      token: held.token,
      expirationTimestamp: new Date(held.expiresAtMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    },
  })
}

function invalid(why: string, cause?: unknown): UserError {
  return new UserError('CONFIG_INVALID', `the kubeconfig does not fit arena's credential plugin: ${why}`, {
    hint: 'ask your admin for a new kubeconfig: arena user kubeconfig NAME',
    cause,
  })
}

function stringIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
