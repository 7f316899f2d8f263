import { notAcceptable, unsupportedMediaType } from '../../kube/index.ts'
import { protobufType } from './protobuf.ts'

/** In which form an answer is wanted. */
export interface Wanted {
  readonly encoding: 'json' | 'yaml'
  /** `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, `APIGroupDiscoveryList`, or the object itself. */
  readonly as?: string
  readonly version?: string
}

const served = ['application/json', 'application/yaml']
const transforms = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

/**
 * The form that an `Accept` header likes best of those that can be served.
 *
 * @throws {StatusError} `NotAcceptable` when there is none.
 */
export function negotiate(
  accept: string | undefined,
  { hasTransforms }: { readonly hasTransforms: boolean } = { hasTransforms: true },
): Wanted {
  // Nearly every request of a program: no need to take it apart.
  if (accept === undefined || accept === 'application/json' || accept === '*/*' || accept === '')
    return { encoding: 'json' }
  for (const { type, values } of byPreference(accept)) {
    const encoding = encodingOf(type.toLowerCase())
    if (!encoding) continue
    const as = values.get('as')
    if (as === undefined) return { encoding }
    if (
      hasTransforms &&
      transforms.has(as) &&
      values.get('g') === 'meta.k8s.io' &&
      ['v1', 'v1beta1'].includes(values.get('v') ?? '')
    )
      return { encoding, as, version: values.get('v') ?? 'v1' }
  }
  throw notAcceptable(`only the following media types are accepted: ${served.join(', ')}`)
}

/**
 * Only JSON is written event by event.
 *
 * @throws {StatusError} `NotAcceptable`.
 */
export function checkStreamable({ encoding }: Wanted): void {
  if (encoding !== 'json')
    throw notAcceptable('only the following media types are accepted: application/json;stream=watch')
}

/** The encoding of a document, which has no other form. @throws {StatusError} `NotAcceptable`. */
export function negotiateDocument(accept: string | undefined): 'json' | 'yaml' {
  return negotiate(accept, { hasTransforms: false }).encoding
}

interface AcceptEntry {
  /** In lower case. */
  readonly type: string
  readonly values: ReadonlyMap<string, string>
}

/** What is weighed higher comes first, of equals the more particular, of those the earlier. */
function byPreference(accept: string): AcceptEntry[] {
  const entries = accept.split(',').map((entry) => {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim())
    const values = new Map(parameters.map((one) => one.split('=', 2) as [string, string]))
    const weight = Number(values.get('q') ?? '1')
    return { type: type.toLowerCase(), values, weight: Number.isFinite(weight) ? weight : 1 }
  })
  const breadth = ({ type }: AcceptEntry): number => (type === '*/*' ? 2 : type.endsWith('/*') ? 1 : 0)
  return entries.sort((a, b) => b.weight - a.weight || breadth(a) - breadth(b))
}

/** Does the client want the whole discovery in one answer, and in which version of it? */
export function wantsAggregatedDiscovery(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const entry of (accept ?? '').split(',')) {
    if (!entry.includes('as=APIGroupDiscoveryList') || !entry.includes('g=apidiscovery.k8s.io')) continue
    if (/;\s*v=v2(;|$)/.test(entry.trim())) return 'v2'
    if (/;\s*v=v2beta1(;|$)/.test(entry.trim())) return 'v2beta1'
  }
  return undefined
}

/**
 * The encoding of a request body.
 *
 * @throws {StatusError} `UnsupportedMediaType`.
 */
export function bodyEncoding(contentType: string | undefined): 'json' | 'yaml' {
  const type = (contentType ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? ''
  // Translated while it was read.
  if (type === protobufType) return 'json'
  const encoding = type === '' ? 'json' : encodingOf(type)
  if (encoding && type !== '*/*') return encoding
  throw unsupportedMediaType(
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  )
}

function encodingOf(type: string): 'json' | 'yaml' | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  return type === 'application/yaml' ? 'yaml' : undefined
}
