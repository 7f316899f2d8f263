import type {
  CallOptions,
  DeleteOptions,
  KubeClient,
  KubeRequest,
  KubeResponse,
  ListOptions,
  ObjectName,
  Patch,
  PatchOptions,
  ResourceType,
  Transport,
  WatchOptions,
  WriteOptions,
} from './client.ts'
import { exactJsonText } from './exact-json.ts'
import { apiVersionOf } from './kinds.ts'
import type { KubeObject, ObjectList, ObjectMeta, Persisted, WatchEvent } from './object.ts'
import { type Status, StatusError } from './status.ts'

/** What a client says of itself with every request. */
export interface KubeClientOptions {
  /** Sent as `fieldManager` with every write that names none. */
  readonly fieldManager?: string
  readonly userAgent?: string
  /** Act as another user, as far as one's own rights allow. */
  readonly impersonate?: string
}

type Query = Record<string, string | number | boolean | undefined>

const patchMediaTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML: the server takes it under this name.
  apply: 'application/apply-patch+yaml',
}

/**
 * A {@link KubeClient} over any transport.
 *
 * @example
 * ```ts
 * const client = createKubeClient(await openHttpsTransport(connection))
 * const quota = await client.list(kinds.resourceQuotas, { namespace: 'dev1' })
 * ```
 */
export function createKubeClient(transport: Transport, options: KubeClientOptions = {}): KubeClient {
  const baseHeaders: Record<string, string> = {
    accept: 'application/json',
    ...(options.userAgent !== undefined && { 'user-agent': options.userAgent }),
    ...(options.impersonate !== undefined && { 'impersonate-user': options.impersonate }),
  }

  async function send(
    method: string,
    path: string,
    request: { body?: unknown; contentType?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<KubeResponse> {
    const headers = { ...baseHeaders }
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
    const response = await transport({
      method,
      path,
      headers,
      ...(request.body !== undefined && { body: exactJsonText(request.body) }),
      ...(request.signal && { signal: request.signal }),
    })
    if (response.status >= 400) throw await failureOf(response)
    return response
  }

  async function call<T>(
    method: string,
    path: string,
    request: { body?: unknown; contentType?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const response = await send(method, path, request)
    const text = await bodyText(response)
    return (text === '' ? {} : JSON.parse(text)) as T
  }

  const written = (write: WriteOptions): Query => ({
    fieldManager: write.fieldManager ?? options.fieldManager,
    dryRun: write.dryRun === true ? 'All' : undefined,
  })

  function withTypeMeta(type: ResourceType<unknown>, object: object): object {
    return { apiVersion: apiVersionOf(type), kind: type.kind, ...object }
  }

  return {
    get<T>(type: ResourceType<T>, at: ObjectName, get: CallOptions & { subresource?: string } = {}) {
      return call<Persisted<T>>('GET', objectPath(type, at, get.subresource), { signal: get.signal })
    },

    async list<T>(type: ResourceType<T>, list: ListOptions = {}) {
      const path = withQuery(collectionPath(type, list.namespace), {
        labelSelector: list.labelSelector,
        fieldSelector: list.fieldSelector,
        limit: list.limit,
        continue: list.continue,
        resourceVersion: list.resourceVersion,
      })
      const response = await send('GET', path, { signal: list.signal })
      const own = list.shared === true ? response.shared?.list?.() : undefined
      return (own ?? JSON.parse(await bodyText(response))) as ObjectList<Persisted<T>>
    },

    create<T>(
      type: ResourceType<T>,
      object: NoInfer<T> | Persisted<NoInfer<T>>,
      create: WriteOptions & { namespace?: string } = {},
    ) {
      const namespace = type.namespaced ? (create.namespace ?? metadataOf(object)?.namespace) : undefined
      const path =
        create.subresource === undefined
          ? collectionPath(type, namespace)
          : objectPath(type, nameOf(metadataOf(object), namespace), create.subresource)
      return call<Persisted<T>>('POST', withQuery(path, written(create)), {
        body: withTypeMeta(type, object as object),
        signal: create.signal,
      })
    },

    createSub<T>(
      type: ResourceType<unknown>,
      at: ObjectName,
      subresource: string,
      object: object,
      create: WriteOptions = {},
    ) {
      return call<T>('POST', withQuery(objectPath(type, at, subresource), written(create)), {
        body: object,
        signal: create.signal,
      })
    },

    replace<T>(
      type: ResourceType<T>,
      at: ObjectName,
      object: NoInfer<T> | Persisted<NoInfer<T>>,
      replace: WriteOptions = {},
    ) {
      const path = withQuery(objectPath(type, at, replace.subresource), written(replace))
      return call<Persisted<T>>('PUT', path, {
        body: withTypeMeta(type, object as object),
        signal: replace.signal,
      })
    },

    patch<T>(type: ResourceType<T>, at: ObjectName, patch: Patch, patching: PatchOptions = {}) {
      const path = withQuery(objectPath(type, at, patching.subresource), {
        ...written(patching),
        force: patching.force === true ? true : undefined,
      })
      const body =
        patch.type === 'json'
          ? patch.operations
          : patch.type === 'apply'
            ? withTypeMeta(type, patch.object)
            : patch.patch
      return call<Persisted<T>>('PATCH', path, {
        body,
        contentType: patchMediaTypes[patch.type],
        signal: patching.signal,
      })
    },

    delete<T>(type: ResourceType<T>, at: ObjectName, deletion: DeleteOptions = {}) {
      return call<KubeObject>('DELETE', objectPath(type, at), {
        body: deletionBody(deletion),
        signal: deletion.signal,
      })
    },

    async deleteCollection<T>(type: ResourceType<T>, deletion: ListOptions & DeleteOptions = {}) {
      const path = withQuery(collectionPath(type, deletion.namespace), {
        labelSelector: deletion.labelSelector,
        fieldSelector: deletion.fieldSelector,
      })
      await call('DELETE', path, { body: deletionBody(deletion), signal: deletion.signal })
    },

    async *watch<T>(
      type: ResourceType<T>,
      watch: WatchOptions = {},
    ): AsyncGenerator<WatchEvent<Persisted<T>>, void, undefined> {
      const path = withQuery(collectionPath(type, watch.namespace), {
        watch: true,
        labelSelector: watch.labelSelector,
        fieldSelector: watch.fieldSelector,
        resourceVersion: watch.resourceVersion,
        allowWatchBookmarks: watch.allowBookmarks === true ? true : undefined,
        timeoutSeconds: watch.timeoutSeconds,
      })
      const response = await send('GET', path, { signal: watch.signal })
      const own = watch.shared === true ? response.shared?.events?.() : undefined
      if (own !== undefined) {
        // What the server holds has the shape of its kind.
        for await (const batch of own) yield* batch as readonly WatchEvent<Persisted<T>>[]
        return
      }
      for await (const line of linesOf(response.body)) {
        const event = JSON.parse(line) as WatchEvent<Persisted<T>>
        if (event.type === 'ERROR') throw new StatusError(event.object as unknown as Status)
        yield event
      }
    },

    raw(request: KubeRequest) {
      return transport({ ...request, headers: { ...baseHeaders, ...request.headers } })
    },
  }
}

function metadataOf(object: unknown): ObjectMeta | undefined {
  return (object as { metadata?: ObjectMeta }).metadata
}

function nameOf(metadata: ObjectMeta | undefined, namespace: string | undefined): ObjectName {
  return { name: metadata?.name ?? '', ...(namespace !== undefined && { namespace }) }
}

function deletionBody(options: DeleteOptions): object | undefined {
  const body = {
    ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.propagationPolicy && { propagationPolicy: options.propagationPolicy }),
    ...(options.preconditions && { preconditions: options.preconditions }),
    ...(options.dryRun === true && { dryRun: ['All'] }),
  }
  return Object.keys(body).length === 0 ? undefined : { kind: 'DeleteOptions', apiVersion: 'v1', ...body }
}

/** `/api/v1/namespaces/dev1/pods`: where a kind is listed and created. */
function collectionPath(type: ResourceType<unknown>, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  return type.namespaced && namespace !== undefined && namespace !== ''
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${type.plural}`
    : `${root}/${type.plural}`
}

/** `/api/v1/namespaces/dev1/pods/a/log`: where one object or a subresource of it is. */
export function objectPath(type: ResourceType<unknown>, at: ObjectName, subresource?: string): string {
  const path = `${collectionPath(type, at.namespace)}/${encodeURIComponent(at.name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

function withQuery(path: string, query: Query): string {
  const parts = Object.entries(query)
    .filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== undefined && entry[1] !== '',
    )
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`
}

/** The whole body as text. */
async function bodyText(response: KubeResponse): Promise<string> {
  if (response.text !== undefined) return response.text()
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}

/** The lines of a body, without their ends and without empty ones. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  // Pieces are joined once per line: a large object arriving in many chunks would cost quadratic time otherwise.
  let pieces: string[] = []
  for await (const chunk of body) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      pieces.push(line)
      const whole = pieces.join('')
      pieces = []
      if (whole.trim() !== '') yield whole
    }
    if (last !== '') pieces.push(last)
  }
  pieces.push(decoder.decode())
  const rest = pieces.join('')
  if (rest.trim() !== '') yield rest
}

/** The error of an answer with status 400 or more. */
export async function failureOf(response: KubeResponse): Promise<StatusError> {
  const text = await bodyText(response)
  try {
    const status: unknown = JSON.parse(text)
    if (isStatusBody(status)) return new StatusError({ ...status, code: status.code ?? response.status })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message:
      text.trim() === '' ? `the server answered with HTTP ${response.status}` : text.trim().slice(0, 1000),
    reason: reasonOfCode[response.status] ?? 'Unknown',
    code: response.status,
  })
}

// A proxy in between, or a server of another make, answers without a Status: the code alone tells the reason then.
const reasonOfCode: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function isStatusBody(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status'
}
