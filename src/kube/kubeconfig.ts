import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { type CachedExecCredential, type ExecConfig, execCredential } from './exec-credential.ts'
import type { ConnectionOptions } from './https-transport.ts'

/** What this program needs of a kubeconfig (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/). */
export interface Kubeconfig {
  readonly currentContext: string
  readonly contexts: ReadonlyMap<string, KubeconfigContext>
  readonly clusters: ReadonlyMap<string, Fields>
  readonly users: ReadonlyMap<string, Fields>
  /** The files it was read from, for messages. */
  readonly files: readonly string[]
}

export interface KubeconfigContext {
  readonly cluster: string
  readonly user: string
  readonly namespace?: string
}

/** Connection of one context, ready for `openHttpsTransport`. */
export interface KubeconfigConnection extends ConnectionOptions {
  readonly contextName: string
  /** The user entry of the context: a name in the file, not what the server calls the user. */
  readonly userName: string
  /** Namespace of the context. */
  readonly namespace?: string
}

/** The fields of an entry; relative paths in it are relative to `directory`. */
export interface Fields {
  readonly fields: Readonly<Record<string, unknown>>
  readonly directory: string
  readonly file: string
}

export interface KubeconfigSource {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A path that overrides `KUBECONFIG` and the home directory. */
  readonly file?: string
}

/**
 * Reads the kubeconfig: the given file, else every file in `KUBECONFIG`, else `~/.kube/config`, else the service
 * account of the pod this runs in. Of entries with the same name the first one wins.
 *
 * @throws {UserError} `CONFIG_INVALID` when there is none or it has a fault.
 */
export async function readKubeconfig(source: KubeconfigSource): Promise<Kubeconfig> {
  const { environment } = source
  const listed = source.file ?? environment['KUBECONFIG'] ?? ''
  const isExplicit = source.file !== undefined
  const files =
    listed === ''
      ? [join(environment['HOME'] ?? '/', '.kube', 'config')]
      : isExplicit
        ? [listed]
        : listed.split(':').filter((path) => path !== '')
  const documents: Document[] = []
  for (const file of files) {
    const document = await readDocument(resolve(file))
    if (document !== undefined) documents.push(document)
  }
  if (documents.length === 0) {
    if (!isExplicit && environment['KUBERNETES_SERVICE_HOST'] !== undefined) return inPod(environment)
    throw new UserError('CONFIG_INVALID', `no kubeconfig found at ${files.join(', ')}`, {
      hint: 'ask your admin for one, name it with --config FILE or KUBECONFIG, or make a cluster with: arena cluster start',
    })
  }
  return merge(documents)
}

interface Document {
  readonly file: string
  readonly content: Readonly<Record<string, unknown>>
}

async function readDocument(file: string): Promise<Document | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new UserError('CONFIG_INVALID', `kubeconfig ${file} cannot be read`, {
      hint: `make it readable for you, as in: chmod u+r ${file}`,
      cause: error,
    })
  }
  if (text.trim() === '') return undefined
  const content = await parseText(file, text)
  if (!isFields(content)) throw invalid(file, 'it is no mapping of fields')
  return { file, content }
}

async function parseText(file: string, text: string): Promise<unknown> {
  // JSON is YAML: files that Arena writes are JSON, and reading them must not cost a YAML library.
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  const { load } = await import('js-yaml')
  try {
    return load(text)
  } catch (error) {
    throw invalid(file, error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'bad YAML', error)
  }
}

function merge(documents: readonly Document[]): Kubeconfig {
  let currentContext = ''
  const contexts = new Map<string, KubeconfigContext>()
  const clusters = new Map<string, Fields>()
  const users = new Map<string, Fields>()
  for (const { file, content } of documents) {
    const current = content['current-context']
    if (currentContext === '' && typeof current === 'string') currentContext = current
    for (const [name, fields] of entries(file, content, 'clusters', 'cluster')) {
      if (!clusters.has(name)) clusters.set(name, { fields, directory: dirname(file), file })
    }
    for (const [name, fields] of entries(file, content, 'users', 'user')) {
      if (!users.has(name)) users.set(name, { fields, directory: dirname(file), file })
    }
    for (const [name, fields] of entries(file, content, 'contexts', 'context')) {
      if (contexts.has(name)) continue
      const namespace = fields['namespace']
      contexts.set(name, {
        cluster: String(fields['cluster'] ?? ''),
        user: String(fields['user'] ?? ''),
        ...(typeof namespace === 'string' && namespace !== '' && { namespace }),
      })
    }
  }
  return { currentContext, contexts, clusters, users, files: documents.map(({ file }) => file) }
}

function* entries(
  file: string,
  content: Readonly<Record<string, unknown>>,
  list: string,
  field: string,
): Generator<[string, Record<string, unknown>]> {
  const items = content[list]
  if (items === undefined || items === null) return
  if (!Array.isArray(items)) throw invalid(file, `"${list}" is no list`)
  for (const item of items) {
    if (!isFields(item) || typeof item['name'] !== 'string') {
      throw invalid(file, `an entry of "${list}" has no name`)
    }
    const fields = item[field]
    yield [item['name'], isFields(fields) ? fields : {}]
  }
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
    return { token: async () => token }
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
    const first = exec.mayHandOutCertificate ? await credential.get() : undefined
    return {
      token: async (signal) => (await credential.get(signal)).token,
      tokenRefused: () => credential.forget(),
      ...(first?.clientCertificate !== undefined && { clientCertificate: first.clientCertificate }),
      ...(first?.clientKey !== undefined && { clientKey: first.clientKey }),
    }
  }
  if (fields['auth-provider'] !== undefined) {
    throw invalid(user.file, 'it uses "auth-provider", which Kubernetes removed in 1.26', undefined, {
      hint: 'use an exec plugin or a token instead',
    })
  }
  return {}
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
  const { command, args, env, apiVersion } = exec
  if (typeof command !== 'string' || command === '') throw invalid(user.file, 'an exec plugin has no command')
  const version = typeof apiVersion === 'string' ? apiVersion : 'client.authentication.k8s.io/v1'
  if (!/^client\.authentication\.k8s\.io\/(v1|v1beta1)$/.test(version)) {
    throw invalid(user.file, `exec plugin "${command}" has the unknown apiVersion "${version}"`)
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

async function inPod(environment: Readonly<Record<string, string | undefined>>): Promise<Kubeconfig> {
  const directory = '/var/run/secrets/kubernetes.io/serviceaccount'
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443'
  const entry = (fields: Record<string, unknown>): Fields => ({ fields, directory, file: directory })
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  const namespace = await readFile(join(directory, 'namespace'), 'utf8').catch(() => 'default')
  return {
    currentContext: 'in-cluster',
    contexts: new Map([
      ['in-cluster', { cluster: 'in-cluster', user: 'in-cluster', namespace: namespace.trim() }],
    ]),
    clusters: new Map([['in-cluster', entry({ server, 'certificate-authority': 'ca.crt' })]]),
    users: new Map([['in-cluster', entry({ tokenFile: 'token' })]]),
    files: [directory],
  }
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(file: string, fault: string, cause?: unknown, options: { hint?: string } = {}): UserError {
  return new UserError('CONFIG_INVALID', `kubeconfig ${file} has a fault: ${fault}`, {
    hint: options.hint ?? `mend ${file}, or name another file with --config FILE`,
    cause,
  })
}
