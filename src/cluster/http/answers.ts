import {
  type Encoded,
  itemText,
  type Listed,
  type ResourceDefinition,
  apiVersionOf,
  typed,
  typedText,
} from '../registry/index.ts'
import { notAcceptable, parseExactJson } from '../../kube/index.ts'
import { yamlText } from '../registry/schema/index.ts'
import type { Wanted } from './accept.ts'
import { type ApiResponse, jsonAnswer, withWarnings } from './message.ts'
import { sharedObject } from './shared.ts'
import { type IncludeObject, partial, tableOf } from './table.ts'

/** How an answer is to be shaped and what goes with it. */
export interface AnswerForm {
  readonly wanted: Wanted
  readonly include: IncludeObject
  readonly warnings: readonly string[]
  readonly now: number
}

/** One object in the form asked for. */
export async function objectAnswer(
  status: number,
  definition: ResourceDefinition,
  object: Encoded,
  form: AnswerForm,
): Promise<ApiResponse> {
  if (form.wanted.as === 'PartialObjectMetadataList')
    throw notAcceptable(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(definition, '')})`,
    )
  return encoded(status, objectText(definition, object, form, { withColumns: true }), form)
}

/** The text of one object in the form asked for. */
export function objectText(
  definition: ResourceDefinition,
  object: Encoded,
  form: AnswerForm,
  options: { readonly withColumns: boolean },
): string {
  const { wanted, include, now } = form
  if (wanted.as === 'Table') {
    const metadata = { resourceVersion: object.value.metadata.resourceVersion }
    return tableOf(definition, [object], {
      include,
      now,
      metadata,
      version: wanted.version ?? 'v1',
      ...options,
    })
  }
  if (wanted.as === 'PartialObjectMetadata' || wanted.as === 'PartialObjectMetadataList')
    return JSON.stringify(partial(typed(definition, object.value), wanted.version ?? 'v1'))
  return typedText(definition, object)
}

/** A list in the form asked for. */
export async function listAnswer(
  definition: ResourceDefinition,
  listed: Listed,
  form: AnswerForm,
): Promise<ApiResponse> {
  const { wanted, include, now } = form
  const metadata = {
    ...(listed.revision !== undefined && { resourceVersion: String(listed.revision) }),
    ...(listed.continue && { continue: listed.continue }),
    ...(listed.remaining !== undefined && { remainingItemCount: listed.remaining }),
  }
  if (wanted.as === 'Table') {
    const options = { include, now, metadata, withColumns: true, version: wanted.version ?? 'v1' }
    return encoded(200, tableOf(definition, listed.items, options), form)
  }
  if (wanted.as === 'PartialObjectMetadata')
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (${goType(definition, 'List')})`,
    )
  const isPartial = wanted.as !== undefined
  const version = wanted.version ?? 'v1'
  const items = isPartial
    ? listed.items.map((item) => JSON.stringify(partial(typed(definition, item.value), version)))
    : listed.items.map((item) => itemText(definition, item))
  const kind = isPartial ? 'PartialObjectMetadataList' : `${definition.kind}List`
  const apiVersion = isPartial ? `meta.k8s.io/${version}` : apiVersionOf(definition)
  const head = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`
  const shared: Pick<ApiResponse, 'shared'> = isPartial
    ? {}
    : {
        shared: {
          list: () => ({ metadata, items: listed.items.map((item) => sharedObject(definition, item)) }),
        },
      }
  const length = items.reduce((sum, item) => sum + item.length, 0)
  if (length > pieceLength && form.wanted.encoding === 'json')
    return { ...jsonAnswer(200, piecesOf(head, items), form.warnings), isList: true, ...shared }
  return { ...(await encoded(200, `${head}${items.join(',')}]}`, form)), ...shared }
}

/**
 * Longer lists go out in pieces of this length: others get their turn in between, nothing holds all of it twice, and the
 * client reads while the rest is made.
 */
const pieceLength = 256 * 1024

async function* piecesOf(head: string, items: readonly string[]): AsyncGenerator<Uint8Array> {
  let piece = [head]
  let length = 0
  for (const text of separated(items)) {
    piece.push(text)
    length += text.length
    if (length < pieceLength) continue
    yield bytesOf(piece)
    piece = []
    length = 0
  }
  yield bytesOf([...piece, ']}'])
}

function* separated(items: readonly string[]): Generator<string> {
  for (const [index, item] of items.entries()) {
    if (index > 0) yield ','
    yield item
  }
}

/** Made of the texts one by one: joined, they would be copied several times before they are bytes. */
function bytesOf(texts: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0))
  texts.reduce((at, text) => at + bytes.write(text, at), 0)
  return bytes
}

/** Kubernetes shows the Go type of what it cannot transform. */
function goType({ group, kind, isCustom }: ResourceDefinition, suffix: '' | 'List'): string {
  if (isCustom) return `*unstructured.Unstructured${suffix}`
  return `*${group.split('.')[0] || 'core'}.${kind}${suffix}`
}

/** Any other object (a review, a status, a scale). */
export async function plainAnswer(status: number, object: object, form: AnswerForm): Promise<ApiResponse> {
  return encoded(status, JSON.stringify(object), form)
}

async function encoded(status: number, json: string, form: AnswerForm): Promise<ApiResponse> {
  if (form.wanted.encoding === 'json') return jsonAnswer(status, json, form.warnings)
  return {
    status,
    headers: withWarnings({ 'content-type': 'application/yaml' }, form.warnings),
    body: await yamlText(parseExactJson(json)),
  }
}
