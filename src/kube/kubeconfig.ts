import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { hasCode } from '../files.ts'
import { UserError } from '../errors.ts'
import { type Fields, invalid, isFields } from './kubeconfig-entry.ts'

/** What this program needs of a kubeconfig (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/). */
export interface Kubeconfig {
  readonly currentContext: string
  readonly contexts: ReadonlyMap<string, KubeconfigContext>
  readonly clusters: ReadonlyMap<string, Fields>
  readonly users: ReadonlyMap<string, Fields>
  /** The files it was read from, for messages. */
  readonly files: readonly string[]
}

/** A cluster and a user of the kubeconfig, by their names in it. */
export interface KubeconfigContext {
  readonly cluster: string
  readonly user: string
  readonly namespace?: string
}

/** Where to look for kubeconfigs. */
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
    if (hasCode(error, 'ENOENT')) return undefined
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
