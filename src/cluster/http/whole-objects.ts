import {
  badRequest,
  conflict,
  type KubeObject,
  StatusError,
  exactJsonText,
  parseExactJson,
} from '../../kube/index.ts'
import { assertAuthorized } from '../auth/index.ts'
import {
  type ComputedObjects,
  type Encoded,
  keyOf,
  type Registry,
  type ResourceDefinition,
  type ResourceRequest,
  storedAs,
} from '../registry/index.ts'
import { parsePatch, patchKind } from '../registry/patch/index.ts'
import { bodyEncoding, checkStreamable } from './accept.ts'
import { listAnswer, objectAnswer, plainAnswer } from './answers.ts'
import { decodeDeleteOptions, decodeObject } from './body.ts'
import { type Call, notSupported, requestOf, writeQuery } from './call.ts'
import { type ApiResponse, headerOf } from './message.ts'
import { readDeleteOptions, readListQuery } from './options.ts'
import { patchChange } from './patching.ts'
import { isTrue } from './target.ts'
import { watchAnswer } from './watch-stream.ts'

/** Serves what is asked of whole objects, of their status and of other views of them. */
export async function serveWhole(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const { verb } = call.at
  if ((verb === 'update' || verb === 'patch') && call.at.name === undefined) throw notSupported()
  if (resource.verbs && !resource.verbs.includes(verb)) throw notSupported()
  if (call.at.subresource && !['get', 'update', 'patch'].includes(verb)) throw notSupported()
  if (resource.computed) return serveComputed(call, resource, resource.computed)
  switch (verb) {
    case 'get':
      return get(call, resource)
    case 'list':
      return listAnswer(resource, await list(call, resource), call.form)
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

async function get(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  if (isTrue(call.target.query.get('export')))
    throw badRequest('the export parameter, deprecated since v1.14, is no longer supported')
  const resourceVersion = call.target.query.get('resourceVersion')
  const request = requestOf(call, resource)
  const found = await call.parts.registry.read(request, { ...(resourceVersion && { resourceVersion }) })
  return objectAnswer(200, resource, found, call.form)
}

async function serveComputed(
  call: Call,
  resource: ResourceDefinition,
  computed: ComputedObjects,
): Promise<ApiResponse> {
  const request = requestOf(call, resource)
  if (call.at.verb === 'get')
    return objectAnswer(200, resource, written(await computed.get(request)), call.form)
  const { selection } = readListQuery(resource, call.target.query)
  const items = await computed.list(request, selection)
  return listAnswer(resource, { items: items.map(written) }, call.form)
}

function written(value: KubeObject): Encoded {
  return { value, json: JSON.stringify(value) }
}

function list(call: Call, resource: ResourceDefinition): ReturnType<Registry['list']> {
  return call.parts.registry.list(requestOf(call, resource), readListQuery(resource, call.target.query))
}

async function watch(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  checkStreamable(call.form.wanted)
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
  // As in Kubernetes, nobody goes on watching what is no longer served: asked again, the server says so.
  const served = call.parts.catalog.whileServed(resource)
  const signal = AbortSignal.any([call.api.signal, end.signal, ...(served ? [served] : [])])
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return watchAnswer(resource, call.parts.registry.watch(request, options, signal), call.form)
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
  const text = exactJsonText(body)
  let fresh: KubeObject | undefined = body
  const next = (): KubeObject => {
    const object = fresh ?? (parseExactJson(text) as unknown as KubeObject)
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
  const object = body.make()
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

async function remove(call: Call, resource: ResourceDefinition): Promise<ApiResponse> {
  const body = await decodeDeleteOptions(
    await call.api.readBody(),
    bodyEncoding(headerOf(call.api, 'content-type')),
  )
  const options = readDeleteOptions(call.target.query, body)
  const request = { ...requestOf(call, resource), dryRun: options.dryRun }
  const { object, isGone } = await call.parts.registry.delete(request, options, body)
  // Kubernetes says that the work is not done yet only to those who ask for it in the old words.
  const status = !isGone && options.leavesNoOrphans ? 202 : 200
  if (!isGone || resource.deleteReturnsObject) return objectAnswer(status, resource, object, call.form)
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
