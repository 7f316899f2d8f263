import type { Verb } from '../registry/index.ts'

/** What a path is about: a resource, or something else (`/version`, discovery, health). */
export interface ResourceTarget {
  readonly verb: Verb
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  /** What follows the subresource, as it was sent: in a proxy path, what is asked of the pod behind it. */
  readonly rest?: string
}

export interface Target {
  readonly path: string
  readonly query: URLSearchParams
  readonly resource?: ResourceTarget
}

/**
 * Reads a URL as Kubernetes does (`RequestInfoFactory` in k8s.io/apiserver/pkg/endpoints/request): `/api/v1/...` for the
 * core group, `/apis/GROUP/VERSION/...` for all others, then `[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE]]`.
 */
export function parseTarget(method: string, url: string): Target {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  const proxied = proxyPath.exec(path)
  const segments = split(proxied?.[1] ?? path)
  if (!segments) return { path, query }
  const [root, ...rest] = segments
  if (root === 'api' && rest.length >= 2)
    return { path, query, ...resource(method, query, '', rest, proxied?.[2]) }
  if (root === 'apis' && rest.length >= 3)
    return { path, query, ...resource(method, query, rest[0] ?? '', rest.slice(1)) }
  return { path, query }
}

/** What comes behind `proxy` is another program's to read: it is neither taken apart nor judged here. */
const proxyPath = /^(\/api\/[^/]+\/namespaces\/[^/]+\/[^/]+\/[^/]+\/proxy)\/(.*)$/

/** Path segments decoded; undefined for a path that tries tricks. */
function split(path: string): string[] | undefined {
  const segments: string[] = []
  for (const raw of path.split('/')) {
    if (raw === '') continue
    let segment: string
    try {
      segment = decodeURIComponent(raw)
    } catch {
      return undefined
    }
    if (segment === '.' || segment === '..' || segment.includes('/') || segment.includes('\0'))
      return undefined
    segments.push(segment)
  }
  return segments
}

function resource(
  method: string,
  query: URLSearchParams,
  group: string,
  segments: readonly string[],
  proxied?: string,
): { resource?: ResourceTarget } {
  const [version = '', ...after] = segments
  // Deprecated form: `/api/v1/watch/...`.
  const isOldWatch = after[0] === 'watch' && after.length > 1
  const parts = isOldWatch ? after.slice(1) : after
  const inNamespace =
    parts[0] === 'namespaces' && parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')
  const namespace = inNamespace ? parts[1] : parts[0] === 'namespaces' ? parts[1] : undefined
  const [plural, name, subresource, ...more] = inNamespace ? parts.slice(2) : parts
  if (!plural) return {}
  // The query of a proxied request is not about the API.
  const isWatch = (isOldWatch || isTrue(query.get('watch'))) && subresource !== 'proxy'
  // Programs behind a proxy may be asked what they allow, which is no verb of the API: whoever may get may ask.
  const isQuestion = method === 'OPTIONS' && subresource === 'proxy'
  const verb = isQuestion ? 'get' : verbOf(method, name, isWatch)
  if (!verb) return {}
  return {
    resource: {
      verb,
      group,
      version,
      plural,
      ...(namespace && { namespace }),
      ...(name && { name }),
      ...(subresource && { subresource }),
      ...(proxied !== undefined && { rest: proxied }),
      ...(more.length > 0 && { rest: more.map(encodeURIComponent).join('/') }),
    },
  }
}

/** `/api/v1/namespaces/NAME/finalize` is about the namespace, not about a resource called `finalize` in it. */
const namespaceSubresources = new Set(['status', 'finalize'])

function verbOf(method: string, name: string | undefined, isWatch: boolean): Verb | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return name ? (isWatch ? 'watch' : 'get') : isWatch ? 'watch' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return name ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}

/** A flag of a query: whatever is there and is neither `false` nor `0` sets it, as in Kubernetes. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== 'false' && text !== '0'
}
