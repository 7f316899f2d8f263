import { badRequest, expired, type KubeObject, StatusError } from '../../kube/index.ts'
import { HistoryGone, type Store, type Stored } from '../storage/index.ts'
import { allInVersion } from './in-version.ts'
import { keyOf, prefixOf, storedAs } from './keys.ts'
import type { RegistryParts } from './parts.ts'
import { plainFailure } from './plain-failure.ts'
import type { ResourceRequest } from './request.ts'
import type { Selection } from './selection.ts'
import type { Encoded } from './stored-object.ts'

/** `metav1.ListOptions` as far as they matter to a list. */
export interface ListOptions {
  readonly selection: Selection
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
}

/** A page of objects at one version. */
export interface Listed {
  readonly items: readonly Encoded[]
  /** Version of the whole list; absent when its objects are stored nowhere. */
  readonly revision?: number
  /** Token for the next page. */
  readonly continue?: string
  /** How many come after this page, where that is known (lists without selector). */
  readonly remaining?: number
}

/** What lists are made from. */
type ListParts = Pick<RegistryParts, 'store' | 'now'>

/** Where the next page begins, and as of which revision. */
interface Position {
  readonly v: 'meta.k8s.io/v1'
  readonly rv: number
  readonly start: string
  /** When the first page was shown, in milliseconds since the epoch; absent where the moment does not matter. */
  readonly at?: number
}

/** For so long pages are of one moment, as in Kubernetes, which forgets the past every five minutes. */
const momentMs = 5 * 60_000

/**
 * Lists objects of one kind, in one namespace or all, page by page as of one moment.
 *
 * @throws {StatusError} `BadRequest` for a bad token, `Expired` when the moment is forgotten, `Timeout` for a version that
 *   is still to come.
 */
export function listObjects(
  { store, now }: ListParts,
  request: ResourceRequest,
  options: ListOptions,
): Listed {
  const resource = storedAs(request.resource)
  const position = options.continue
    ? readPosition(resource, options.continue, options.resourceVersion)
    : undefined
  const shownAt = position?.at ?? now()
  if (now() - shownAt > momentMs) throw tooOld(resource, position)
  // A token that was handed out when its moment was forgotten goes on with what is there now.
  const at = position ? (position.rv < 0 ? undefined : position.rv) : momentOf(store, options)
  const revision = at ?? store.revision
  const prefix = prefixOf(resource, request.resource.namespaced ? request.namespace : undefined)
  const limit = options.limit && options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY
  const page = (items: readonly Stored<KubeObject>[], remaining: number | undefined): Listed => ({
    items,
    revision,
    continue: tokenOf(resource, items.at(-1)?.key ?? '', { rv: revision, at: shownAt }),
    ...(remaining !== undefined && { remaining }),
  })
  try {
    if (options.selection.name !== undefined && at === undefined && namesOneKey(request))
      return { items: oneByName(store, request, resource, options.selection), revision }
    const items: Stored<KubeObject>[] = []
    const scan = store.scan(prefix, {
      ...(position && { after: position.start }),
      ...(at !== undefined && { at }),
    })
    let remaining = 0
    for (const stored of scan) {
      if (!options.selection.isEverything && !options.selection.matches(shaped(request, stored.value)))
        continue
      if (items.length < limit) items.push(stored)
      // Kubernetes tells how many remain only where it need not look at them.
      else if (!options.selection.isEverything) return page(items, undefined)
      else if (at === undefined && !position) return page(items, store.count(prefix) - limit)
      else remaining++
    }
    if (remaining > 0) return page(items, remaining)
    return { items, revision }
  } catch (error) {
    if (error instanceof HistoryGone) throw tooOld(resource, position)
    throw error
  }
}

/**
 * {@link listObjects} in the version of the request, whoever converts. Pages of a selection by such a version's own
 * fields may be short: objects are selected when they are converted.
 */
export async function listInVersion(
  parts: ListParts,
  request: ResourceRequest,
  options: ListOptions,
): Promise<Listed> {
  const { resource } = request
  const { selection } = options
  if (!resource.conversion || selection.isEverything || selection.name !== undefined) {
    const listed = listObjects(parts, request, options)
    return resource.conversion ? { ...listed, items: await allInVersion(resource, listed.items) } : listed
  }
  const everything = { matches: () => true, name: undefined, isEverything: true }
  const { remaining: _remaining, ...listed } = listObjects(parts, request, {
    ...options,
    selection: everything,
  })
  const items = await allInVersion(resource, listed.items)
  return { ...listed, items: items.filter(({ value }) => selection.matches(value)) }
}

/** The object as selectors of this version see it. */
export function shaped(request: ResourceRequest, value: KubeObject): KubeObject {
  return request.resource.convert ? request.resource.convert.fromStored(value) : value
}

function namesOneKey(request: ResourceRequest): boolean {
  return !request.resource.namespaced || request.namespace !== undefined
}

function oneByName(
  store: Store<KubeObject>,
  request: ResourceRequest,
  resource: string,
  selection: Selection,
): Stored<KubeObject>[] {
  const namespace = request.resource.namespaced ? request.namespace : undefined
  const stored = store.get(keyOf(resource, namespace, selection.name ?? ''))
  return stored && selection.matches(shaped(request, stored.value)) ? [stored] : []
}

function readPosition(resource: string, token: string, resourceVersion: string | undefined): Position {
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
  let value: unknown
  const illegal = illegalByte(token)
  if (illegal !== undefined)
    throw badRequest(
      `invalid continue token: continue key is not valid: illegal base64 data at input byte ${illegal}`,
    )
  const text = Buffer.from(token, 'base64url').toString('latin1')
  try {
    value = JSON.parse(text)
  } catch {
    throw badRequest(
      `invalid continue token: continue key is not valid: invalid character '${text[0] ?? ''}' looking for beginning of value`,
    )
  }
  if (!isPosition(value))
    throw badRequest(
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion or key',
    )
  return { ...value, start: resource + value.start }
}

/** Where Go's strict reading of URL-safe base64 without padding stops. */
function illegalByte(token: string): number | undefined {
  const bad = token.search(/[^A-Za-z0-9_-]/)
  if (bad >= 0) return bad
  return token.length % 4 === 1 ? token.length - 1 : undefined
}

function isPosition(value: unknown): value is Position {
  return (
    typeof value === 'object' &&
    value !== null &&
    'rv' in value &&
    Number.isSafeInteger(value.rv) &&
    'start' in value &&
    typeof value.start === 'string' &&
    value.start.startsWith('/') &&
    (!('at' in value) || Number.isSafeInteger(value.at))
  )
}

/** The revision a list must show; undefined for the newest. */
function momentOf(store: Store<KubeObject>, options: ListOptions): number | undefined {
  const { resourceVersion, resourceVersionMatch } = options
  if (!resourceVersion) return undefined
  // Kubernetes reads what names one moment from its store, all else from its cache: each refuses in its own words.
  const namesMoment = resourceVersionMatch === 'Exact' || (options.limit ?? 0) > 0
  const revision = parseRevision(
    resourceVersion,
    namesMoment ? (why) => badRequest(`invalid resource version: ${why}`) : plainFailure,
  )
  if (revision === 0) return undefined
  if (revision > store.revision) throw tooLarge(revision, store.revision)
  if (resourceVersionMatch === 'NotOlderThan') return undefined
  // Without a match rule an unpaged list may be newer than asked; a paged one shows the moment itself.
  return namesMoment ? revision : undefined
}

/**
 * Refuses a version that a single object cannot have reached yet.
 *
 * @throws {StatusError} `Timeout`, or a failure without a reason when the text is no version.
 */
export function checkReached(store: Store<KubeObject>, resourceVersion: string): void {
  const revision = parseRevision(resourceVersion, plainFailure)
  if (revision > store.revision) throw tooLarge(revision, store.revision)
}

/**
 * @throws {StatusError} what `refuse` makes of the reason, when the text is no version.
 */
export function parseRevision(text: string, refuse: (why: string) => StatusError): number {
  if (!/^\d{1,19}$/.test(text))
    throw refuse(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  return Number(text)
}

export function tooLarge(asked: number, current: number): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    reason: 'Timeout',
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
    code: 504,
  })
}

function tooOld(resource: string, position: Position | undefined): StatusError {
  const error = expired(
    position
      ? 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'
      : 'The resourceVersion for the provided list is too old.',
  )
  if (position) error.status.metadata.continue = tokenOf(resource, position.start, { rv: -1 })
  return error
}

function tokenOf(resource: string, key: string, moment: Pick<Position, 'rv' | 'at'>): string {
  const token: Position = { v: 'meta.k8s.io/v1', start: key.slice(resource.length), ...moment }
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}
