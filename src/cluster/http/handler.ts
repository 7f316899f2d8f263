import { internalError, methodNotAllowed, serviceUnavailable, StatusError } from '../../kube/index.ts'
import {
  asksForImpersonation,
  assertAuthorized,
  type Attributes,
  type DistinctHeaders,
  type Impersonator,
} from '../auth/index.ts'
import { StoreFailed } from '../storage/index.ts'
import { yamlText } from '../registry/schema/index.ts'
import { negotiateDocument, wantsAggregatedDiscovery } from './accept.ts'
import type { Auditor, AuditRecord } from './audit/auditor.ts'
import { withDeadline } from './deadline.ts'
import { type Discovery, discover } from './discovery.ts'
import { type ApiHandler, type ApiRequest, type ApiResponse, headerOf, jsonAnswer } from './message.ts'
import { pretty } from './pretty.ts'
import { RequestCounts } from './request-counts.ts'
import type { ResourceParts } from './call.ts'
import { serveResource } from './resources.ts'
import { parseTarget, type Target } from './target.ts'

/** Documents at fixed paths (`/version`, `/openapi/v2`, ...), by exact path or by a prefix that ends in `/`. */
export type Documents = Readonly<
  Record<string, (api: ApiRequest, target: Target) => Promise<ApiResponse> | ApiResponse>
>

/** Serves streams (logs, exec) where a path names one; undefined for all others. */
export type StreamServer = (api: ApiRequest, target: Target) => Promise<ApiResponse | undefined>

/** What the API handler is made of. */
export interface HandlerParts extends ResourceParts {
  readonly impersonator: Impersonator
  readonly auditor?: Auditor
  readonly documents: Documents
  readonly streams?: StreamServer
  /** `host:port` that discovery shows. */
  readonly address: () => string
  /** Told of faults of our own: what the client sees as an internal error. */
  onFault(error: unknown, api: ApiRequest): void
}

/** The API server: authorises, routes and answers; every failure becomes a `Status`. */
export function createHandler(parts: HandlerParts): ApiHandler {
  let discovery: { readonly version: number; readonly documents: Discovery } | undefined
  const currentDiscovery = (): Discovery => {
    if (discovery?.version !== parts.catalog.version)
      discovery = { version: parts.catalog.version, documents: discover(parts.catalog) }
    return discovery.documents
  }
  const counts = new RequestCounts()
  return async (received) => {
    let target: Target | undefined
    let record: AuditRecord | undefined
    let answer: ApiResponse
    try {
      target = parseTarget(received.method, received.url)
      const timed = withDeadline(received, target)
      const asked = attributesOf(timed, target)
      record = parts.auditor?.begin(timed, asked.verb, target)
      const api = record?.api ?? timed
      const user = asksForImpersonation(api.headers)
        ? parts.impersonator.impersonate(asked, distinct(api.headers))
        : api.user
      if (user !== api.user) record?.impersonated(user)
      const attributes = user === api.user ? asked : { ...asked, user }
      assertAuthorized(parts.authorizer, attributes)
      const call = user === api.user ? api : { ...api, user }
      answer = target.resource
        ? ((await parts.streams?.(call, target)) ??
          (await serveResource(parts, call, target, target.resource)))
        : await serveDocument(parts, { discovery: currentDiscovery(), counts }, call, target)
    } catch (error) {
      answer = failure(error, (fault) => parts.onFault(fault, received))
    }
    if (target) answer = pretty(answer, received, target.query)
    if (target) counts.add(received.method, target, answer.status)
    if (!record) return answer
    record.answered(answer)
    return { ...answer, headers: { ...answer.headers, 'audit-id': record.id } }
  }
}

function attributesOf(api: ApiRequest, target: Target): Attributes {
  const { resource } = target
  const { user } = api
  if (!resource) return { user, verb: api.method.toLowerCase(), path: target.path }
  const fieldSelector = target.query.get('fieldSelector') ?? undefined
  return {
    user,
    verb: resource.verb,
    group: resource.group,
    resource: resource.plural,
    subresource: resource.subresource,
    namespace: resource.namespace,
    name: resource.name ?? nameIn(resource.verb, fieldSelector),
    fieldSelector,
  }
}

function distinct(headers: ApiRequest['headers']): DistinctHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.split(/,\s*/) : value,
    ]),
  )
}

/** `fieldSelector=metadata.name=X` makes a list or watch a request for that one object. */
function nameIn(verb: string, fieldSelector: string | undefined): string | undefined {
  if (!fieldSelector || !['list', 'watch', 'deletecollection'].includes(verb)) return undefined
  return /^metadata\.name==?([^,=!]+)$/.exec(fieldSelector)?.[1]
}

async function serveDocument(
  parts: HandlerParts,
  { discovery, counts }: { readonly discovery: Discovery; readonly counts: RequestCounts },
  api: ApiRequest,
  target: Target,
): Promise<ApiResponse> {
  const path = target.path.length > 1 && target.path.endsWith('/') ? target.path.slice(0, -1) : target.path
  if (!isServed(api.method, path))
    throw methodNotAllowed('the server does not allow this method on the requested resource')
  const aggregated = wantsAggregatedDiscovery(headerOf(api, 'accept'))
  if ((path === '/api' || path === '/apis') && aggregated) {
    const { text, etag } = discovery.aggregated(path === '/api' ? 'core' : 'groups', aggregated)
    const headers = {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`,
      etag,
      vary: 'Accept',
      'cache-control': 'public',
    }
    // Clients keep the document and ask whether it is still right each time that they start.
    if (headerOf(api, 'if-none-match') === etag) return { status: 304, headers, body: '' }
    return { status: 200, headers, body: text }
  }
  if (path === '/') return jsonAnswer(200, JSON.stringify({ paths: rootPaths(parts, discovery) }))
  if (path === '/metrics')
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: counts.text(),
    }
  const found = discoveryDocument(discovery, path, parts.address())
  if (found) {
    const encoding = negotiateDocument(headerOf(api, 'accept'))
    if (encoding === 'json') return jsonAnswer(200, JSON.stringify(found))
    const body = await yamlText(JSON.parse(JSON.stringify(found)))
    return { status: 200, headers: { 'content-type': 'application/yaml' }, body }
  }
  const document =
    parts.documents[path] ??
    parts.documents[
      Object.keys(parts.documents).find((one) => one.endsWith('/') && path.startsWith(one)) ?? ''
    ]
  if (document) return document(api, target)
  return {
    status: 404,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: '404 page not found\n',
  }
}

/** What `/` shows: every path that answers by itself. */
function rootPaths({ documents }: HandlerParts, discovery: Discovery): string[] {
  const { groups } = discovery.groups()
  const below = groups.flatMap(({ name, versions }) => [
    `/apis/${name}`,
    ...versions.map(({ groupVersion }) => `/apis/${groupVersion}`),
  ])
  const fixed = Object.keys(documents).filter((path) => !path.endsWith('/'))
  return [...new Set(['/api', '/api/v1', '/apis', '/apis/', '/metrics', ...below, ...fixed])].toSorted()
}

/** What lies below the API's roots is for the methods of the API alone, and its documents are to be read only. */
function isServed(method: string, path: string): boolean {
  return /^\/(api|apis|version|openapi)(\/|$)/.test(path) ? method === 'GET' || method === 'HEAD' : true
}

function discoveryDocument(discovery: Discovery, path: string, address: string): object | undefined {
  const [, root, ...rest] = path.split('/')
  if (root === 'api') {
    if (rest.length === 0) return discovery.coreVersions(address)
    return rest.length === 1 ? discovery.resources('', rest[0] ?? '') : undefined
  }
  if (root !== 'apis') return undefined
  if (rest.length === 0) return discovery.groups()
  if (rest.length === 1) return discovery.group(rest[0] ?? '')
  return rest.length === 2 ? discovery.resources(rest[0] ?? '', rest[1] ?? '') : undefined
}

/** Any failure as an answer. What is not a refusal is our fault, and its text stays inside. */
export function failure(error: unknown, onFault: (error: unknown) => void): ApiResponse {
  const status = statusOf(error, onFault).status
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  const seconds = status.details?.retryAfterSeconds
  if (seconds !== undefined && [429, 503, 504].includes(status.code)) headers['retry-after'] = String(seconds)
  return { status: status.code, headers, body: JSON.stringify(status) }
}

function statusOf(error: unknown, onFault: (error: unknown) => void): StatusError {
  if (error instanceof StatusError) return error
  // The disk is at fault, not we: the client is told, and a log on the same disk would not help.
  if (error instanceof StoreFailed) return serviceUnavailable(error.message)
  onFault(error)
  return internalError('something went wrong in the API server', error)
}
