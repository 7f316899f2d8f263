/** OpenAPI documents of what is served: `/openapi/v2` and `/openapi/v3`. */
import { createHash } from 'node:crypto'
import { notAcceptable } from '../../../kube/index.ts'
import { builtinDescriptions } from '../../registry/schema/index.ts'
import type { Documents } from '../handler.ts'
import { type ApiRequest, type ApiResponse, headerOf, jsonAnswer } from '../message.ts'
import { documentV2, documentV3 } from './documents.ts'
import { type GroupVersion, Kinds, type OpenApiSource } from './kinds.ts'
import { encodeDocument } from './protobuf.ts'

export type { OpenApiSource } from './kinds.ts'

/**
 * The documents, by path, for the API handler. Each is made when it is first asked for and kept as text until the source
 * serves something else; nothing is made at start.
 */
export function openApiDocuments(source: OpenApiSource): Documents {
  let cache: Cache | undefined
  const current = (): Cache => {
    if (cache?.version !== source.version) cache = new Cache(source)
    return cache
  }
  return {
    '/openapi/v2': (api) => serveV2(current(), api),
    '/openapi/v3': () => jsonAnswer(200, current().index()),
    '/openapi/v3/': (api, target) => serveV3(current(), api, target.path.slice('/openapi/v3/'.length)),
  }
}

/** What has been made for one state of the source. */
class Cache {
  readonly version: number
  readonly #source: OpenApiSource
  readonly #made = new Map<string, Promise<Buffer>>()
  #index: string | undefined

  constructor(source: OpenApiSource) {
    this.version = source.version
    this.#source = source
  }

  /** `api/v1`, `apis/batch/v1` -> what is there. */
  groupVersions(): Map<string, GroupVersion> {
    const found = new Map<string, GroupVersion>()
    for (const { group, version } of [...this.#source.definitions(), ...this.#source.virtualResources()])
      found.set(group === '' ? `api/${version}` : `apis/${group}/${version}`, { group, version })
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Changes whenever the document would; made from what the document is made of, which is much less. */
  hash({ group, version }: GroupVersion): string {
    const hash = createHash('sha256')
    const isHere = (one: GroupVersion): boolean => one.group === group && one.version === version
    for (const one of this.#source.definitions().filter(isHere))
      hash.update(
        JSON.stringify([
          one.kind,
          one.plural,
          one.verbs,
          one.hasStatus,
          one.scale,
          one.isCustom && one.schema,
        ]),
      )
    for (const one of this.#source.virtualResources().filter(isHere))
      hash.update(`${one.kind} ${one.plural}\n`)
    for (const one of this.#source.subresources())
      if (one.group === group) hash.update(`${one.parent}/${one.name}\n`)
    return hash.digest('hex').toUpperCase()
  }

  index(): string {
    this.#index ??= JSON.stringify({
      paths: Object.fromEntries(
        [...this.groupVersions()].map(([path, at]) => [
          path,
          { serverRelativeURL: `/openapi/v3/${path}?hash=${this.hash(at)}` },
        ]),
      ),
    })
    return this.#index
  }

  v3(path: string, at: GroupVersion): Promise<Buffer> {
    return this.#once(path, (kinds) => Buffer.from(JSON.stringify(documentV3(this.#source, kinds, at))))
  }

  v2(form: 'json' | 'protobuf'): Promise<Buffer> {
    return this.#once(form, (kinds) => {
      const document = documentV2(this.#source, kinds, [...this.groupVersions().values()])
      return form === 'json' ? Buffer.from(JSON.stringify(document)) : encodeDocument(document)
    })
  }

  #once(key: string, make: (kinds: Kinds) => Buffer): Promise<Buffer> {
    let making = this.#made.get(key)
    if (!making) {
      making = builtinDescriptions().then((descriptions) => make(new Kinds(this.#source, descriptions)))
      this.#made.set(key, making)
    }
    return making
  }
}

const yearMs = 365 * 24 * 60 * 60 * 1000
const protobufV2 = /^application\/com\.github\.proto-openapi\.spec\.v2(?:@|\.)v1\.0\+protobuf$/

async function serveV2(cache: Cache, api: ApiRequest): Promise<ApiResponse> {
  const accepted = (headerOf(api, 'accept') ?? '*/*')
    .split(',')
    .map((part) => part.split(';')[0]?.trim() ?? '')
  for (const type of accepted) {
    if (protobufV2.test(type))
      return answer(
        api,
        await cache.v2('protobuf'),
        'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
      )
    if (['application/json', 'application/*', '*/*'].includes(type))
      return answer(api, await cache.v2('json'), 'application/json')
  }
  throw notAcceptable(
    'only the following media types are accepted: application/json, application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  )
}

async function serveV3(cache: Cache, api: ApiRequest, path: string): Promise<ApiResponse> {
  const at = cache.groupVersions().get(path)
  if (!at)
    return {
      status: 404,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: '404 page not found\n',
    }
  if (!/json|\*/.test(headerOf(api, 'accept') ?? '*/*'))
    throw notAcceptable('only the following media types are accepted: application/json')
  const asked = new URL(api.url, 'http://localhost').searchParams.get('hash')
  const hash = cache.hash(at)
  // A client with an old index learns the new address; what it then caches under it is right for ever.
  if (asked !== null && asked !== hash)
    return { status: 301, headers: { location: `/openapi/v3/${path}?hash=${hash}` }, body: '' }
  const headers = {
    'content-type': 'application/json',
    etag: `"${hash}"`,
    vary: 'Accept',
    ...(asked !== null && {
      'cache-control': 'public, immutable',
      expires: new Date(Date.now() + yearMs).toUTCString(),
    }),
  }
  if (headerOf(api, 'if-none-match') === headers.etag) return { status: 304, headers, body: '' }
  return { status: 200, headers, body: await cache.v3(path, at) }
}

function answer(api: ApiRequest, body: Buffer, contentType: string): ApiResponse {
  const etag = `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`
  const headers = { 'content-type': contentType, etag, vary: 'Accept' }
  if (headerOf(api, 'if-none-match') === etag) return { status: 304, headers, body: '' }
  return { status: 200, headers, body }
}
