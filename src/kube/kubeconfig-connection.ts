import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { UserError } from '../errors.ts'
import { type CachedExecCredential, type ExecConfig, execCredential } from './exec-credential.ts'
import type { ConnectionOptions } from './https-transport.ts'
import type { Kubeconfig } from './kubeconfig.ts'
import { type Fields, invalid, isFields } from './kubeconfig-entry.ts'

/** Connection of one context, ready for `openHttpsTransport`. */
export interface KubeconfigConnection extends ConnectionOptions {
  readonly contextName: string
  /** The user entry of the context: a name in the file, not what the server calls the user. */
  readonly userName: string
  /** Namespace of the context. */
  readonly namespace?: string
}

/**
 * The connection of a context, with certificates read and credentials ready to be asked for.
 *
 * @throws {UserError} `CONFIG_INVALID` when something it refers to is missing or faulty.
 */
export async function connectionOf(
  config: Kubeconfig,
  options: {
    context?: string
    environment: Readonly<Record<string, string | undefined>>
    /** Does a plugin's work inside this process, which saves starting one. Undefined for plugins of others. */
    ownPlugin?: (exec: ExecConfig) => CachedExecCredential | undefined
  },
): Promise<KubeconfigConnection> {
  const where = config.files.join(', ')
  const contextName = options.context ?? config.currentContext
  if (contextName === '') {
    throw new UserError('CONFIG_INVALID', `kubeconfig ${where} names no current context`, {
      hint: `choose one of: ${[...config.contexts.keys()].join(', ') || 'none'}, with: kubectl config use-context NAME`,
    })
  }
  const context = config.contexts.get(contextName)
  if (context === undefined) {
    throw new UserError('CONFIG_INVALID', `kubeconfig ${where} has no context "${contextName}"`, {
      hint: `it has: ${[...config.contexts.keys()].join(', ') || 'none'}`,
    })
  }
  const cluster = config.clusters.get(context.cluster)
  if (cluster === undefined) {
    throw invalid(where, `context "${contextName}" names cluster "${context.cluster}", which is not there`)
  }
  const server = cluster.fields['server']
  if (typeof server !== 'string' || server === '') {
    throw invalid(cluster.file, `cluster "${context.cluster}" has no server`)
  }
  const user = config.users.get(context.user)
  if (user === undefined && context.user !== '') {
    throw invalid(where, `context "${contextName}" names user "${context.user}", which is not there`)
  }
  const [certificateAuthority, clientCertificate, clientKey] = await Promise.all([
    dataOrFile(cluster, 'certificate-authority'),
    dataOrFile(user, 'client-certificate'),
    dataOrFile(user, 'client-key'),
  ])
  const tlsServerName = cluster.fields['tls-server-name']
  const credentials = await credentialsOf(user, {
    clusterInfo: () => clusterInfoOf(cluster, certificateAuthority),
    environment: options.environment,
    ...(options.ownPlugin && { ownPlugin: options.ownPlugin }),
  })
  return {
    contextName,
    userName: context.user,
    server,
    ...(context.namespace !== undefined && { namespace: context.namespace }),
    ...(certificateAuthority !== undefined && { certificateAuthority }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(clientKey !== undefined && { clientKey }),
    ...(typeof tlsServerName === 'string' && { tlsServerName }),
    ...(cluster.fields['insecure-skip-tls-verify'] === true && { insecureSkipTlsVerify: true }),
    ...credentials,
  }
}

async function credentialsOf(
  user: Fields | undefined,
  options: {
    clusterInfo: () => Record<string, unknown>
    environment: Readonly<Record<string, string | undefined>>
    ownPlugin?: (exec: ExecConfig) => CachedExecCredential | undefined
  },
): Promise<Partial<ConnectionOptions>> {
  if (user === undefined) return {}
  const { fields } = user
  if (typeof fields['token'] === 'string' && fields['token'] !== '') {
    const token = fields['token']
    const what = `the token in kubeconfig ${user.file}`
    const hint = 'ask your admin for a new kubeconfig'
    return { token: async () => token, tokenRefused: () => expired(token, what, hint) }
  }
  if (typeof fields['tokenFile'] === 'string') {
    // Read for every request: whoever mounts such a file renews it in place.
    const file = fromDirectory(user, fields['tokenFile'])
    return { token: async () => (await readFileOf(user, file)).trim() }
  }
  if (isFields(fields['exec'])) {
    const exec = execConfigOf(user, fields['exec'], options.clusterInfo)
    const credential = options.ownPlugin?.(exec) ?? execCredential(exec, options)
    // A plugin may hand out a client certificate, which must be there before the first connection.
    let last: string | undefined
    const first = exec.mayHandOutCertificate ? await credential.get() : undefined
    return {
      token: async (signal) => {
        last = (await credential.get(signal)).token
        return last
      },
      tokenRefused: () => {
        credential.forget()
        const hint = 'sign in again with the command of the plugin, or clear what it keeps'
        return expired(last, `the token of credential plugin "${exec.command}"`, hint)
      },
      ...(first?.clientCertificate !== undefined && { clientCertificate: first.clientCertificate }),
      ...(first?.clientKey !== undefined && { clientKey: first.clientKey }),
    }
  }
  if (fields['auth-provider'] !== undefined) {
    const token = providerToken(user, fields['auth-provider'])
    return { token: async () => token }
  }
  return {}
}

/**
 * The token that kubectl's own OpenID Connect provider keeps in the kubeconfig. Renewing it takes the secrets of the
 * provider and writes to the file: that is left to kubectl, which does both whenever it is run.
 */
function providerToken(user: Fields, provider: unknown): string {
  const name = isFields(provider) ? provider['name'] : undefined
  const config = isFields(provider) && isFields(provider['config']) ? provider['config'] : {}
  if (name !== 'oidc') {
    throw invalid(
      user.file,
      `it uses the auth-provider "${String(name)}", which clients have not known since 1.26`,
      undefined,
      {
        hint: 'ask your provider for an exec plugin, which takes its place',
      },
    )
  }
  const token = config['id-token']
  const canRenew = typeof config['refresh-token'] === 'string' && config['refresh-token'] !== ''
  const hint = canRenew
    ? 'kubectl renews it and writes it down: run, for example, kubectl version, and then this again'
    : 'sign in with the tool that wrote the kubeconfig, as in: kubelogin'
  if (typeof token !== 'string' || token === '') {
    throw new UserError('UNAUTHENTICATED', `kubeconfig ${user.file} holds no id-token yet`, { hint })
  }
  const refusal = expired(token, `the id-token in kubeconfig ${user.file}`, hint)
  if (refusal !== undefined) throw refusal
  return token
}

/** What is said of a token whose time is over, by its own word and this machine's clock; undefined for others. */
function expired(token: string | undefined, what: string, hint: string): UserError | undefined {
  const expiresAt = token === undefined ? undefined : expiryOf(token)
  if (expiresAt === undefined || expiresAt > Date.now()) return undefined
  const when = new Date(expiresAt).toISOString()
  return new UserError('UNAUTHENTICATED', `${what} expired at ${when}`, { hint })
}

/** Milliseconds since 1970; undefined where the token does not tell. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const exp = isFields(claims) ? claims['exp'] : undefined
    return typeof exp === 'number' ? exp * 1000 : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The cluster's entry as a plugin is told of it, certificates included and our own part as `config`. */
function clusterInfoOf(cluster: Fields, certificateAuthority: string | undefined): Record<string, unknown> {
  const info: Record<string, unknown> = {}
  for (const field of ['server', 'tls-server-name', 'insecure-skip-tls-verify', 'proxy-url']) {
    const value = cluster.fields[field]
    if (typeof value === 'string' || typeof value === 'boolean') info[field] = value
  }
  if (certificateAuthority !== undefined) {
    info['certificate-authority-data'] = Buffer.from(certificateAuthority).toString('base64')
  }
  const extensions = cluster.fields['extensions']
  for (const entry of Array.isArray(extensions) ? extensions : []) {
    if (isFields(entry) && entry['name'] === 'client.authentication.k8s.io/exec') {
      info['config'] = entry['extension']
    }
  }
  return info
}

function execConfigOf(
  user: Fields,
  exec: Record<string, unknown>,
  clusterInfo: () => Record<string, unknown>,
): ExecConfig {
  const { command, args, env, apiVersion, interactiveMode = 'IfAvailable' } = exec
  if (typeof command !== 'string' || command === '') throw invalid(user.file, 'an exec plugin has no command')
  const version = typeof apiVersion === 'string' ? apiVersion : 'client.authentication.k8s.io/v1'
  if (!/^client\.authentication\.k8s\.io\/(v1|v1beta1)$/.test(version)) {
    throw invalid(user.file, `exec plugin "${command}" has the unknown apiVersion "${version}"`)
  }
  if (interactiveMode !== 'Never' && interactiveMode !== 'IfAvailable' && interactiveMode !== 'Always') {
    throw invalid(
      user.file,
      `exec plugin "${command}" has the unknown interactiveMode "${String(interactiveMode)}"`,
    )
  }
  const variables: Record<string, string> = {}
  for (const entry of Array.isArray(env) ? env : []) {
    if (isFields(entry) && typeof entry['name'] === 'string') {
      variables[entry['name']] = String(entry['value'] ?? '')
    }
  }
  return {
    // A command with a slash is relative to the file; a bare name is looked up in PATH.
    command: command.includes('/') ? fromDirectory(user, command) : command,
    arguments: (Array.isArray(args) ? args : []).map(String),
    environment: variables,
    apiVersion: version,
    interactiveMode,
    ...(exec['provideClusterInfo'] === true && { clusterInfo: clusterInfo() }),
    // Arena's own plugin gives tokens alone; waiting for it up front would delay every command.
    mayHandOutCertificate: !/(^|\/)arena$/.test(command),
    ...(typeof exec['installHint'] === 'string' && { installHint: exec['installHint'] }),
  }
}

async function dataOrFile(entry: Fields | undefined, field: string): Promise<string | undefined> {
  if (entry === undefined) return undefined
  const data = entry.fields[`${field}-data`]
  if (typeof data === 'string' && data !== '') {
    const text = Buffer.from(data, 'base64').toString('utf8')
    if (!text.includes('-----BEGIN')) throw invalid(entry.file, `"${field}-data" is no PEM text in base64`)
    return text
  }
  const path = entry.fields[field]
  if (typeof path !== 'string' || path === '') return undefined
  return readFileOf(entry, fromDirectory(entry, path))
}

function fromDirectory(entry: Fields, path: string): string {
  return isAbsolute(path) ? path : join(entry.directory, path)
}

async function readFileOf(entry: Fields, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw invalid(entry.file, `the file ${path} that it refers to cannot be read`, error)
  }
}
