import {
  type Container,
  type KubeClient,
  kinds,
  type Persisted,
  type Pod,
  type Secret,
  type ConfigMap,
  type Volume,
} from '../../../../kube/index.ts'
import { fieldValue, type PodFacts, resourceValue } from '../container/downward.ts'
import type { ContentReader } from '../container/environment.ts'
import type { VolumeFile } from './atomic-directory.ts'

/** A volume cannot be made; the text is for the pod's events. Tried again later. */
export class VolumeError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'VolumeError'
  }
}

/** A service account token as it was issued, kept until most of its life is over. */
export interface IssuedToken {
  readonly token: string
  readonly renewAtMs: number
}

export interface ContentContext {
  readonly facts: PodFacts
  readonly reader: ContentReader
  readonly client: KubeClient
  readonly now: () => number
  /** Tokens of this pod by audience and lifetime. */
  readonly tokens: Map<string, IssuedToken>
  /** Mode of token files: closed when their reader is known, open to the pod otherwise. */
  readonly tokenMode: number
}

const usualMode = 0o644

/** The files of a volume that is made from API objects; nothing for other volumes. */
export async function volumeFiles(
  volume: Volume,
  context: ContentContext,
): Promise<VolumeFile[] | undefined> {
  if (volume.configMap !== undefined) {
    const { name = '', optional, items, defaultMode = usualMode } = volume.configMap
    return fromConfigMap(await configMap(name, optional, context), { name, items, optional, defaultMode })
  }
  if (volume.secret !== undefined) {
    const { secretName = '', optional, items, defaultMode = usualMode } = volume.secret
    const found = await secret(secretName, optional, context)
    return fromSecret(found, { name: secretName, items, optional, defaultMode })
  }
  if (volume.downwardAPI !== undefined) {
    const { items = [], defaultMode = usualMode } = volume.downwardAPI
    return items.map((item) => downwardFile(item, defaultMode, context.facts))
  }
  if (volume.projected === undefined) return undefined
  const { sources = [], defaultMode = usualMode } = volume.projected
  const files: VolumeFile[] = []
  for (const source of sources) files.push(...(await projectedFiles(source, defaultMode, context)))
  return files
}

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number]

async function projectedFiles(
  source: Projection,
  defaultMode: number,
  context: ContentContext,
): Promise<VolumeFile[]> {
  if (source.configMap !== undefined) {
    const { name = '', optional, items } = source.configMap
    return fromConfigMap(await configMap(name, optional, context), { name, items, optional, defaultMode })
  }
  if (source.secret !== undefined) {
    const { name = '', optional, items } = source.secret
    return fromSecret(await secret(name, optional, context), { name, items, optional, defaultMode })
  }
  if (source.downwardAPI !== undefined) {
    return (source.downwardAPI.items ?? []).map((item) => downwardFile(item, defaultMode, context.facts))
  }
  if (source.serviceAccountToken !== undefined) {
    const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken
    const token = await accountToken(audience, expirationSeconds, context)
    return [file(path, Buffer.from(token), context.tokenMode)]
  }
  throw new VolumeError('a projected volume has a source of a kind that is not served here')
}

async function accountToken(
  audience: string | undefined,
  expirationSeconds: number,
  context: ContentContext,
): Promise<string> {
  const key = `${audience ?? ''} ${expirationSeconds}`
  const known = context.tokens.get(key)
  if (known !== undefined && known.renewAtMs > context.now()) return known.token
  const { pod } = context.facts
  const account = pod.spec?.serviceAccountName ?? 'default'
  const answer = await context.client.createSub<{
    status?: { token?: string; expirationTimestamp?: string }
  }>(kinds.serviceAccounts, { namespace: pod.metadata.namespace ?? '', name: account }, 'token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: audience === undefined ? [] : [audience],
      expirationSeconds,
      // The token dies with the pod.
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
    },
  })
  const token = answer.status?.token
  if (token === undefined) throw new VolumeError(`service account "${account}" got no token`)
  const lifeMs = Date.parse(answer.status?.expirationTimestamp ?? '') - context.now()
  const renewMs = Number.isFinite(lifeMs) ? lifeMs * 0.8 : expirationSeconds * 800
  context.tokens.set(key, { token, renewAtMs: context.now() + Math.min(renewMs, 24 * 3_600_000) })
  return token
}

async function configMap(
  name: string,
  optional: boolean | undefined,
  context: ContentContext,
): Promise<Persisted<ConfigMap> | undefined> {
  const found = await context.reader.configMap(name)
  if (found === undefined && optional !== true) throw new VolumeError(`configmap "${name}" not found`)
  return found
}

async function secret(
  name: string,
  optional: boolean | undefined,
  context: ContentContext,
): Promise<Persisted<Secret> | undefined> {
  const found = await context.reader.secret(name)
  if (found === undefined && optional !== true) throw new VolumeError(`secret "${name}" not found`)
  return found
}

interface Selection {
  readonly name: string
  readonly items: readonly { key: string; path: string; mode?: number }[] | undefined
  readonly optional: boolean | undefined
  readonly defaultMode: number
}

function fromConfigMap(found: Persisted<ConfigMap> | undefined, selection: Selection): VolumeFile[] {
  const content = new Map<string, Buffer>()
  for (const [key, value] of Object.entries(found?.data ?? {})) content.set(key, Buffer.from(value))
  for (const [key, value] of Object.entries(found?.binaryData ?? {})) {
    content.set(key, Buffer.from(value, 'base64'))
  }
  return select(content, selection)
}

function fromSecret(found: Persisted<Secret> | undefined, selection: Selection): VolumeFile[] {
  const entries = Object.entries(found?.data ?? {})
  return select(new Map(entries.map(([key, value]) => [key, Buffer.from(value, 'base64')])), selection)
}

function select(content: ReadonlyMap<string, Buffer>, selection: Selection): VolumeFile[] {
  if (selection.items === undefined) {
    return [...content].map(([key, value]) => file(key, value, selection.defaultMode))
  }
  return selection.items.flatMap(({ key, path, mode }) => {
    const value = content.get(key)
    if (value === undefined) {
      if (selection.optional === true) return []
      throw new VolumeError(`"${selection.name}" has no key "${key}"`)
    }
    return [file(path, value, mode ?? selection.defaultMode)]
  })
}

interface DownwardItem {
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: { readonly fieldPath: string }
  readonly resourceFieldRef?: {
    readonly containerName?: string
    readonly resource: string
    readonly divisor?: string
  }
}

function downwardFile(item: DownwardItem, defaultMode: number, facts: PodFacts): VolumeFile {
  const mode = item.mode ?? defaultMode
  if (item.resourceFieldRef !== undefined) {
    const container = containerNamed(facts.pod, item.resourceFieldRef.containerName)
    if (container === undefined) throw new VolumeError(`"${item.path}" names no container of the pod`)
    return file(item.path, Buffer.from(resourceValue(facts, container, item.resourceFieldRef)), mode)
  }
  const value = fieldValue(facts, item.fieldRef?.fieldPath ?? '')
  if (value === undefined) throw new VolumeError(`unsupported fieldPath: ${item.fieldRef?.fieldPath ?? ''}`)
  return file(item.path, Buffer.from(value), mode)
}

function containerNamed(pod: Persisted<Pod>, name: string | undefined): Container | undefined {
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find(
    (container) => container.name === name,
  )
}

/** The API server lets no such path in; a file must never land outside of its volume all the same. */
function file(path: string, content: Buffer, mode: number): VolumeFile {
  const parts = path.split('/')
  if (path === '' || parts.includes('..') || parts.includes('') || path.startsWith('..')) {
    throw new VolumeError(`"${path}" is no path for a file of a volume`)
  }
  return { path, content, mode: mode & 0o777 }
}
