import { badRequest, type KubeObject, serviceUnavailable } from '../../../../kube/index.ts'
import type { Catalog, Registry, ResourceRequest, UserInfo } from '../../../registry/index.ts'
import type { PodRef } from '../../../runtime/index.ts'
import type { ResourceTarget } from '../../target.ts'
import { podRequest } from '../pod.ts'

/** Where a proxied request goes. */
export interface Destination {
  readonly scheme: 'http' | 'https'
  readonly pod: PodRef
  /** `address:port`, as the pod knows itself. */
  readonly host: string
  readonly port: number
}

/** Who asks, and for what. */
export interface ProxyRequest {
  readonly at: ResourceTarget
  readonly user: UserInfo
  readonly signal: AbortSignal
}

export interface DestinationParts {
  readonly catalog: Catalog
  readonly registry: Registry
}

/** Is this a path that leads through the server to a pod? */
export function isProxied(at: ResourceTarget): boolean {
  return at.group === '' && at.subresource === 'proxy' && (at.plural === 'pods' || at.plural === 'services')
}

/**
 * Finds the pod that a `proxy` path means: `[SCHEME:]NAME[:PORT]` of a pod or of a service. Admission has a say first.
 *
 * @throws {StatusError} `NotFound`, `BadRequest`, `ServiceUnavailable` when there is no pod behind it, or what admission says.
 */
export async function findDestination(parts: DestinationParts, request: ProxyRequest): Promise<Destination> {
  const { at } = request
  const kind = at.plural === 'pods' ? 'pod' : 'service'
  const named = readName(at.name ?? '')
  if (named === undefined) throw badRequest(`invalid ${kind} request ${JSON.stringify(at.name)}`)
  const { scheme, name, port } = named
  const object = read(parts, request, at.plural, name)
  await parts.registry.connect(
    { ...requestFor(parts, request, at.plural, name), subresource: 'proxy' },
    {
      kind: kind === 'pod' ? 'PodProxyOptions' : 'ServiceProxyOptions',
      apiVersion: 'v1',
      metadata: {},
      path: `/${at.rest ?? ''}`,
    },
  )
  if (kind === 'pod') return { scheme, ...ofPod(object, port) }
  return { scheme, ...ofService(parts, request, object, port) }
}

interface Named {
  readonly scheme: 'http' | 'https'
  readonly name: string
  readonly port: string
}

/** `utilnet.SplitSchemeNamePort` of k8s.io/apimachinery. */
function readName(text: string): Named | undefined {
  const parts = text.split(':')
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts]
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme)) return undefined
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port }
}

function ofPod(pod: KubeObject, text: string): Omit<Destination, 'scheme'> {
  // A pod was held against its schema when it was written.
  const { spec, status } = pod as {
    spec?: { containers?: { ports?: { containerPort: number }[] }[] }
    status?: { podIP?: string }
  }
  const first = spec?.containers?.find(({ ports }) => ports?.length)?.ports?.[0]?.containerPort ?? 80
  const port = text === '' ? first : portOf(text)
  if (port === undefined) throw badRequest(`invalid pod request: ${JSON.stringify(text)} is no port`)
  const address = status?.podIP ?? ''
  if (address === '') throw badRequest('address not allowed')
  return { pod: refOf(pod), host: `${address}:${port}`, port }
}

function ofService(
  parts: DestinationParts,
  request: ProxyRequest,
  service: KubeObject,
  text: string,
): Omit<Destination, 'scheme'> {
  const { name = '' } = service.metadata
  const { spec } = service as { spec?: { ports?: { name?: string; port: number }[] } }
  let portName = text
  if (/^\d+$/.test(text)) {
    const found = spec?.ports?.find(({ port }) => port === Number(text))
    if (found === undefined)
      throw serviceUnavailable(`no service port ${Number(text)} found for service "${name}"`)
    portName = found.name ?? ''
  }
  const endpoints = find(parts, request, 'endpoints', name)
  const { subsets = [] } = (endpoints ?? {}) as { subsets?: readonly Subset[] }
  const ready = subsets.flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find((one) => (one.name ?? '') === portName)?.port
    return port === undefined ? [] : addresses.map((address) => ({ ...address, port }))
  })
  // Whoever writes endpoints by hand could name any address of this machine: only pods of the same namespace are reached.
  for (const { targetRef, ip, port } of shuffled(ready)) {
    const pod = targetRef?.kind === 'Pod' ? find(parts, request, 'pods', targetRef.name ?? '') : undefined
    if (pod === undefined || (pod as { status?: { podIP?: string } }).status?.podIP !== ip) continue
    return { pod: refOf(pod), host: `${ip}:${port}`, port }
  }
  throw serviceUnavailable(`no endpoints available for service "${name}"`)
}

interface Subset {
  readonly addresses?: readonly {
    readonly ip: string
    readonly targetRef?: { readonly kind?: string; readonly name?: string }
  }[]
  readonly ports?: readonly { readonly name?: string; readonly port: number }[]
}

/** From a place by chance on, so that each has its turn. */
function shuffled<T>(list: readonly T[]): readonly T[] {
  const start = Math.floor(Math.random() * list.length)
  return [...list.slice(start), ...list.slice(0, start)]
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}

function refOf({ metadata }: KubeObject): PodRef {
  const { namespace = '', name = '', uid = '' } = metadata
  return { namespace, name, uid }
}

function requestFor(
  { catalog }: DestinationParts,
  { at, user, signal }: ProxyRequest,
  plural: string,
  name: string,
): ResourceRequest {
  const resource = catalog.find('', 'v1', plural)?.stored
  if (resource === undefined) throw new Error(`the server does not know ${plural}`)
  const { subresource: _none, ...request } = podRequest(resource, {
    user,
    subresource: '',
    ...(at.namespace && { namespace: at.namespace }),
    name,
    signal,
  })
  return request
}

/** @throws {StatusError} `NotFound`. */
function read(parts: DestinationParts, request: ProxyRequest, plural: string, name: string): KubeObject {
  return parts.registry.get(requestFor(parts, request, plural, name)).value
}

function find(
  parts: DestinationParts,
  request: ProxyRequest,
  plural: string,
  name: string,
): KubeObject | undefined {
  try {
    return read(parts, request, plural, name)
  } catch (error) {
    if (error instanceof Error && 'reason' in error && error.reason === 'NotFound') return undefined
    throw error
  }
}
