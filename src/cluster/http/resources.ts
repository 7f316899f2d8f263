import { schemaFor } from '../registry/schema/index.ts'
import { badRequest, noSuchResource, type JsonObject, type KubeObject } from '../../kube/index.ts'
import {
  type ResourceDefinition,
  type ResourceRequest,
  type Subresource,
  type VirtualResource,
} from '../registry/index.ts'
import { patchKind } from '../registry/patch/index.ts'
import { bodyEncoding, negotiate } from './accept.ts'
import { type AnswerForm, plainAnswer } from './answers.ts'
import { decodeObject } from './body.ts'
import { type Call, notSupported, requestOf, type ResourceParts, writeQuery } from './call.ts'
import { type ApiRequest, type ApiResponse, headerOf } from './message.ts'
import { scaleAnswer } from './scale-answer.ts'
import { scaleChange } from './scale.ts'
import type { ResourceTarget, Target } from './target.ts'
import type { IncludeObject } from './table.ts'
import { serveWhole } from './whole-objects.ts'

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
  // What is computed and not stored has no columns.
  const wanted = negotiate(headerOf(api, 'accept'), { hasTransforms: served.virtual === undefined })
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

async function serveScale(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const { registry } = call.parts
  if (call.at.verb === 'get')
    return scaleAnswer(resource, await registry.read(requestOf(call, resource)), call.form)
  if (call.at.verb !== 'update' && call.at.verb !== 'patch') throw notSupported()
  const kind = call.at.verb === 'patch' ? 'PatchOptions' : 'UpdateOptions'
  const contentType = headerOf(call.api, 'content-type') ?? ''
  const isApply = call.at.verb === 'patch' && patchKind(contentType, { isCustom: false }) === 'apply'
  const write = writeQuery(call, kind, isApply)
  const request = requestOf(call, resource, write)
  const change = await scaleChange(resource, request, {
    text: await call.api.readBody(),
    contentType,
    force: write.force,
  })
  const { subresource: _subresource, ...whole } = request
  return scaleAnswer(resource, await registry.update(whole, change), call.form)
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
  const { namedManager: _manager, namedValidation: _validation, force: _force, ...options } = write
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
