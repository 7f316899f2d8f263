import { randomUUID } from 'node:crypto'
import { exactJsonText, type JsonObject, type KubeObject } from '../../../kube/index.ts'
import { decodeReview, fieldIn, type Place, type WebhookCaller, WebhookFailure } from '../webhooks/index.ts'

/** Who converts the objects of a kind, and how they are spoken to. */
export interface Converter {
  readonly place: Place
  /** Versions of ConversionReview that it understands, the best first. */
  readonly reviewVersions: readonly string[]
  readonly caller: WebhookCaller
  readonly signal: AbortSignal
}

const timeoutMs = 30_000

/**
 * Has objects converted by their webhook: as many in the same order, in the version asked for. Metadata stays as it is
 * but for labels and annotations.
 *
 * @param objects with kind and apiVersion; at least one.
 * @throws {Error} that says, in the API server's words, why there are none.
 */
export async function convertedBy(
  { place, reviewVersions, caller, signal }: Converter,
  objects: readonly KubeObject[],
  apiVersion: string,
): Promise<KubeObject[]> {
  const version = reviewVersions.find((one) => one === 'v1' || one === 'v1beta1')
  if (version !== 'v1' && version !== 'v1beta1') throw new Error('no supported conversion review versions')
  const uid = randomUUID()
  const [first] = objects
  const [group, from] = (first?.apiVersion ?? '').split('/')
  const what = `conversion webhook for ${group}/${from}, Kind=${first?.kind ?? ''}`
  const request = { uid, desiredAPIVersion: apiVersion, objects }
  const body = exactJsonText({
    kind: 'ConversionReview',
    apiVersion: `apiextensions.k8s.io/${version}`,
    request,
  })
  let converted: readonly unknown[]
  try {
    const text = await caller.post(place, body, { timeoutMs, signal })
    const review = decodeReview(text, { kind: 'ConversionReview', group: 'apiextensions.k8s.io', version })
    converted = objectsIn(review, version === 'v1' ? uid : undefined)
  } catch (error) {
    if (!(error instanceof WebhookFailure || error instanceof BadReview)) throw error
    throw new Error(`${what} failed: ${error.message}`, { cause: error })
  }
  if (converted.length !== objects.length)
    throw new Error(`${what} returned ${converted.length} objects, expected ${objects.length}`)
  return objects.map((object, index) => {
    const next = converted[index]
    const complaint = complaintOf(object, next, apiVersion)
    if (complaint !== undefined)
      throw new Error(`${what} returned invalid converted object at index ${index}: ${complaint}`)
    return withMetadata(next as KubeObject, object)
  })
}

class BadReview extends Error {}

/** @param uid of the request; the elder version is not held to it. */
function objectsIn(review: JsonObject, uid: string | undefined): readonly unknown[] {
  if (uid !== undefined && review['kind'] === undefined)
    throw new BadReview(
      'expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=',
    )
  const response = fieldIn(review, 'response', 'object')
  if (!response) throw new BadReview('no response provided')
  const answered = fieldIn(response, 'uid', 'string') ?? ''
  if (uid !== undefined && answered !== uid)
    throw new BadReview(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(answered)}`)
  const result = fieldIn(response, 'result', 'object')
  const status = fieldIn(result, 'status', 'string') ?? ''
  if (status !== 'Success')
    throw new BadReview(
      fieldIn(result, 'message', 'string') || `response.result.status was '${status}', not 'Success'`,
    )
  return fieldIn(response, 'convertedObjects', 'array') ?? []
}

function complaintOf(object: KubeObject, next: unknown, apiVersion: string): string | undefined {
  if (typeof next !== 'object' || next === null || Array.isArray(next)) return 'it is not an object'
  const { kind, apiVersion: got, metadata } = next as Partial<KubeObject>
  if (got !== apiVersion) return `invalid groupVersion (expected ${apiVersion}, received ${got ?? ''})`
  const was = object.metadata
  const compared = [
    ['kind', object.kind, kind],
    ['name', was.name, metadata?.name],
    ['namespace', was.namespace, metadata?.namespace],
    ['UID', was.uid, metadata?.uid],
  ] as const
  const other = compared.find(([, before, after]) => (before ?? '') !== (after ?? ''))
  return other && `must have the same ${other[0]}: ${other[1] ?? ''} != ${other[2] ?? ''}`
}

function withMetadata(next: KubeObject, { metadata }: KubeObject): KubeObject {
  const { labels: _labels, annotations: _annotations, ...rest } = metadata
  const { labels, annotations } = next.metadata
  return { ...next, metadata: { ...rest, ...(labels && { labels }), ...(annotations && { annotations }) } }
}
