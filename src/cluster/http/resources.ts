import { schemaFor } from '../registry/schema/index.ts'
import {
  badRequest,
  conflict,
  methodNotAllowed,
  noSuchResource,
  StatusError,
  type JsonObject,
  type KubeObject,
} from '../../kube/index.ts'
import { assertAuthorized, type Authorizer } from '../auth/index.ts'
import {
  type Catalog,
  type Encoded,
  keyOf,
  type Registry,
  type ResourceDefinition,
  type ResourceRequest,
  type Subresource,
  storedAs,
  typed,
  type VirtualResource,
} from '../registry/index.ts'
import { bodyEncoding, negotiate } from './accept.ts'
import { type AnswerForm, listAnswer, objectAnswer, plainAnswer } from './answers.ts'
import { decodeDeleteOptions, decodeObject } from './body.ts'
import { type ApiRequest, type ApiResponse, headerOf } from './message.ts'
import { readDeleteOptions, readListQuery, readWriteQuery, type WriteQuery } from './options.ts'
import { parsePatch, patchKind } from '../registry/patch/index.ts'
import { patchChange } from './patching.ts'
import { readScale, scaleChange } from './scale.ts'
import type { ResourceTarget, Target } from './target.ts'
import type { IncludeObject } from './table.ts'
import { watchAnswer } from './watch-stream.ts'

export interface ResourceParts {
  readonly catalog: Catalog
  readonly registry: Registry
  readonly authorizer: Authorizer
  /** Does an object exist, in the newest state? For changes that create what is absent. */
  exists(key: string): boolean
  now(): number
}

/** One request on its way through: everything the operations below need. */
interface Call {
  readonly parts: ResourceParts
  readonly api: ApiRequest
  readonly target: Target
  readonly at: ResourceTarget
  readonly form: AnswerForm
  readonly warnings: string[]
}

/**
 * Serves a request to a resource that the catalog knows. Authorisation has happened, except where the answer decides what
 * is needed (changes that create).
 *
 * @throws {StatusError}
 */
export async function serveResource(
  parts: ResourceParts,
  api: ApiRequest,
  target: Target,
  at: ResourceTarget,
): Promise<ApiResponse> {
  const served = parts.catalog.find(at.group, at.version, at.plural)
  if (!served) return unserved(parts, at)
  const warnings: string[] = []
  const wanted = negotiate(headerOf(api, 'accept'))
  const form: AnswerForm = {
    wanted,
    include: wanted.as === 'Table' ? includedObject(target.query) : 'Metadata',
    warnings,
    now: parts.now(),
  }
  const call: Call = { parts, api, target, at, form, warnings }
  if (served.virtual) return serveVirtual(call, served.virtual)
  checkScope(served.stored, at)
  if (served.stored.deprecation) warnings.push(served.stored.deprecation)
  if (!at.subresource) return serveWhole(call, served.stored)
  const own = parts.catalog.subresource(at.group, at.plural, at.subresource)
  if (own) return serveSubresource(call, served.stored, own)
  if (at.subresource === 'status' && served.stored.hasStatus) return serveWhole(call, served.stored)
  if (served.stored.views && Object.hasOwn(served.stored.views, at.subresource))
    return serveWhole(call, served.stored)
  if (at.subresource === 'scale' && served.stored.scale) return serveScale(call, served.stored)
  throw noSuchResource()
}

function includedObject(query: URLSearchParams): IncludeObject {
  const asked = query.get('includeObject') || 'Metadata'
  if (asked === 'None' || asked === 'Object' || asked === 'Metadata') return asked
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

/** Below a group and version of its own the server knows what there is; elsewhere nobody feels responsible. */
function unserved({ catalog }: ResourceParts, { group, version }: ResourceTarget): ApiResponse {
  const isOwn = [...catalog.definitions().filter((one) => !one.isCustom), ...catalog.virtualResources()].some(
    (one) => one.group === group && one.version === version,
  )
  if (isOwn) throw noSuchResource()
  return {
    status: 404,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: '404 page not found\n',
  }
}

function checkScope(resource: ResourceDefinition, at: ResourceTarget): void {
  const isNamespaceItself = at.plural === 'namespaces' && at.group === ''
  if (!resource.namespaced && at.namespace !== undefined && !isNamespaceItself) throw noSuchResource()
  // A single namespaced object can only be named with its namespace.
  if (resource.namespaced && at.namespace === undefined && at.name !== undefined) throw noSuchResource()
}

async function serveWhole(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const { verb } = call.at
  if ((verb === 'update' || verb === 'patch') && call.at.name === undefined) throw notSupported()
  if (resource.verbs && !resource.verbs.includes(verb)) throw notSupported()
  if (call.at.subresource && !['get', 'update', 'patch'].includes(verb)) throw notSupported()
  switch (verb) {
    case 'get':
      return objectAnswer(200, resource, call.parts.registry.get(requestOf(call, resource)), call.form)
    case 'list':
      return listAnswer(resource, list(call, resource), call.form)
    case 'watch':
      return watch(call, resource)
    case 'create':
      return create(call, resource)
    case 'update':
      return update(call, resource)
    case 'patch':
      return patch(call, resource)
    case 'delete':
      return remove(call, resource)
    case 'deletecollection':
      return removeCollection(call, resource)
  }
}

function requestOf(call: Call, resource: ResourceDefinition, write?: WriteQuery): ResourceRequest {
  const { at, api } = call
  return {
    user: api.user,
    verb: at.verb,
    resource,
    ...(at.subresource && { subresource: at.subresource }),
    ...(at.namespace !== undefined && resource.namespaced && { namespace: at.namespace }),
    ...(at.name !== undefined && { name: at.name }),
    dryRun: write?.dryRun ?? false,
    fieldManager: write?.fieldManager ?? 'unknown',
    fieldValidation: write?.fieldValidation ?? 'Warn',
    get signal() {
      return api.signal
    },
    warn: (text) => {
      if (!call.warnings.includes(text)) call.warnings.push(text)
    },
  }
}

function list(call: Call, resource: ResourceDefinition): ReturnType<Registry['list']> {
  return call.parts.registry.list(requestOf(call, resource), readListQuery(resource, call.target.query))
}

async function watch(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const query = call.at.name
    ? new URLSearchParams([...call.target.query, ['fieldSelector', `metadata.name=${call.at.name}`]])
    : call.target.query
  const options = readListQuery(resource, query, { isWatch: true })
  const request = requestOf(call, resource)
  const seconds = options.timeoutSeconds
  // Kubernetes ends watches after 30 to 60 minutes when the client does not say when.
  const endMs = seconds ? seconds * 1000 : 30 * 60_000 * (1 + Math.random())
  const end = new AbortController()
  const timer = setTimeout(() => end.abort(), Math.min(endMs, 2 ** 31 - 1))
  timer.unref()
  const signal = AbortSignal.any([call.api.signal, end.signal])
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return watchAnswer(resource, call.parts.registry.watch(request, options, signal), call.form)
}

function writeQuery(call: Call, kind: string, isApply = false): WriteQuery {
  return readWriteQuery(kind, call.target.query, headerOf(call.api, 'user-agent'), isApply)
}

async function create(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  if (call.at.name !== undefined) throw notSupported()
  // The path names no namespace: the object cannot be stored anywhere.
  if (resource.namespaced && call.at.namespace === undefined) throw notSupported()
  const request = requestOf(call, resource, writeQuery(call, 'CreateOptions'))
  const encoding = bodyEncoding(headerOf(call.api, 'content-type'))
  const body = await decodeObject(await call.api.readBody(), encoding, resource, request)
  const created = await call.parts.registry.create(request, body)
  return objectAnswer(201, resource, created, call.form)
}

async function update(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const request = requestOf(call, resource, writeQuery(call, 'UpdateOptions'))
  const encoding = bodyEncoding(headerOf(call.api, 'content-type'))
  const body = await decodeObject(await call.api.readBody(), encoding, resource, request)
  const text = JSON.stringify(body)
  let fresh: KubeObject | undefined = body
  const next = (): KubeObject => {
    const object = fresh ?? (JSON.parse(text) as KubeObject)
    fresh = undefined
    return object
  }
  if (resource.createsOnUpdate && !call.at.subresource) {
    const created = await createAbsent(call, resource, request, { make: () => unversioned(next()) })
    if (created) return created
  }
  return objectAnswer(200, resource, await call.parts.registry.update(request, { next }), call.form)
}

/** What a PUT of an absent object creates: the version it names is that of nothing. */
function unversioned(object: KubeObject): KubeObject {
  delete object.metadata.resourceVersion
  return object
}

/**
 * Creates the object of a request that changes what is there, when nothing is there: the answer, or undefined when
 * there is something to change after all, if only since a moment.
 *
 * @throws {StatusError} `Forbidden` for who may change such objects but not create them.
 */
async function createAbsent(
  call: Call,
  resource: ResourceDefinition,
  request: ResourceRequest,
  body: { make(): KubeObject; readonly managesFields?: boolean },
): Promise<ApiResponse | undefined> {
  if (call.parts.exists(keyOf(storedAs(resource), request.namespace, request.name ?? ''))) return undefined
  assertAuthorized(call.parts.authorizer, {
    user: call.api.user,
    verb: 'create',
    group: call.at.group,
    resource: call.at.plural,
    namespace: call.at.namespace,
    name: call.at.name,
  })
  const object = named(body.make(), request)
  const { uid } = object.metadata
  if (uid)
    throw conflict(
      { kind: resource.plural, group: resource.group, name: request.name ?? '' },
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    )
  try {
    const created = await call.parts.registry.create({ ...request, verb: 'create' }, object, {
      managesFields: body.managesFields === true,
    })
    return objectAnswer(201, resource, created, call.form)
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'AlreadyExists') return undefined
    throw error
  }
}

async function patch(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const kind = patchKind(headerOf(call.api, 'content-type') ?? '', { isCustom: resource.isCustom === true })
  const write = writeQuery(call, 'PatchOptions', kind === 'apply')
  const request = requestOf(call, resource, write)
  const parsed = await parsePatch(kind, await call.api.readBody(), write.fieldValidation)
  const change = patchChange(parsed, resource, request, { write, now: call.parts.now() })
  if (kind === 'apply' && !call.at.subresource) {
    const created = await createAbsent(call, resource, request, {
      make: () => change.create(),
      managesFields: true,
    })
    if (created) return created
  }
  return objectAnswer(200, resource, await call.parts.registry.update(request, change), call.form)
}

function named(object: KubeObject, request: ResourceRequest): KubeObject {
  object.metadata.name ??= request.name ?? ''
  return object
}

async function remove(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const body = await decodeDeleteOptions(
    await call.api.readBody(),
    bodyEncoding(headerOf(call.api, 'content-type')),
  )
  const options = readDeleteOptions(call.target.query, body)
  const request = { ...requestOf(call, resource), dryRun: options.dryRun }
  const { object, isGone } = await call.parts.registry.delete(request, options, body)
  if (!isGone || resource.deleteReturnsObject) return objectAnswer(200, resource, object, call.form)
  return plainAnswer(
    200,
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: request.name,
        ...(resource.group && { group: resource.group }),
        kind: resource.plural,
        uid: object.value.metadata.uid,
      },
    },
    call.form,
  )
}

async function removeCollection(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const body = await decodeDeleteOptions(
    await call.api.readBody(),
    bodyEncoding(headerOf(call.api, 'content-type')),
  )
  const options = readDeleteOptions(call.target.query, body)
  const request = { ...requestOf(call, resource), dryRun: options.dryRun }
  const selected = readListQuery(resource, call.target.query)
  return listAnswer(
    resource,
    await call.parts.registry.deleteCollection(request, selected, options),
    call.form,
  )
}

async function serveScale(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const { registry } = call.parts
  if (call.at.verb === 'get')
    return plainAnswer(200, readScale(resource, registry.get(requestOf(call, resource))), call.form)
  if (call.at.verb !== 'update' && call.at.verb !== 'patch') throw notSupported()
  const kind = call.at.verb === 'patch' ? 'PatchOptions' : 'UpdateOptions'
  const request = requestOf(call, resource, writeQuery(call, kind))
  const change = await scaleChange(resource, request, {
    text: await call.api.readBody(),
    contentType: headerOf(call.api, 'content-type') ?? '',
  })
  const { subresource: _subresource, ...whole } = request
  return plainAnswer(200, readScale(resource, await registry.update(whole, change)), call.form)
}

async function serveSubresource(
  call: Call,
  resource: ResourceDefinition,
  own: Subresource,
): Promise<ApiResponse> {
  const { verb } = call.at
  const optionsKind =
    verb === 'create' ? 'CreateOptions' : verb === 'update' ? 'UpdateOptions' : 'PatchOptions'
  const request = requestOf(call, resource, writeQuery(call, optionsKind))
  if (verb === 'get' && own.get) return plainAnswer(200, await own.get(request), call.form)
  if (verb === 'create' && own.create) {
    const made = await own.create(await subresourceBody(call, own, request), request)
    return plainAnswer(own.createStatus ?? 201, made, call.form)
  }
  if (verb === 'update' && own.update)
    return plainAnswer(200, await own.update(await subresourceBody(call, own, request), request), call.form)
  throw notSupported()
}

async function subresourceBody(call: Call, own: Subresource, request: ResourceRequest): Promise<KubeObject> {
  const encoding = bodyEncoding(headerOf(call.api, 'content-type'))
  const group = own.bodyGroup ?? own.group
  const version = own.bodyVersion ?? call.at.version
  const target = { group, version, kind: own.kind, schema: schemaFor(group, version, own.kind) }
  return decodeObject(await call.api.readBody(), encoding, target, request)
}

async function serveVirtual(call: Call, resource: VirtualResource): Promise<ApiResponse> {
  const { at, api } = call
  if (at.verb !== 'create' || at.name !== undefined) throw notSupported()
  const write = writeQuery(call, 'CreateOptions')
  const warn = (text: string): void => {
    if (!call.warnings.includes(text)) call.warnings.push(text)
  }
  const encoding = bodyEncoding(headerOf(api, 'content-type'))
  const body = await decodeObject(await api.readBody(), encoding, resource, { ...write, warn })
  const { namedManager: _namedManager, force: _force, ...options } = write
  const made = await resource.create(body as unknown as JsonObject, {
    ...options,
    user: api.user,
    verb: 'create',
    ...(at.namespace !== undefined && { namespace: at.namespace }),
    signal: api.signal,
    warn,
  })
  return plainAnswer(201, made, call.form)
}

function notSupported(): StatusError {
  return methodNotAllowed('the server does not allow this method on the requested resource')
}

/** An object as the API shows it, for callers inside the server. */
export function shown(resource: ResourceDefinition, object: Encoded): KubeObject {
  return typed(resource, object.value)
}
