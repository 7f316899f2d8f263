import { expired, type KubeObject, exactJsonText } from '../../kube/index.ts'
import { type Change, HistoryGone, type Store } from '../storage/index.ts'
import { allInVersion } from './in-version.ts'
import { prefixOf, storedAs } from './keys.ts'
import { parseRevision, shaped, tooLarge } from './list.ts'
import { plainFailure } from './plain-failure.ts'
import type { ResourceRequest } from './request.ts'
import type { Selection } from './selection.ts'
import type { Encoded } from './stored-object.ts'

/** `metav1.ListOptions` as far as they matter to a watch. */
export interface WatchOptions {
  readonly selection: Selection
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
  readonly sendInitialEvents?: boolean
  readonly allowBookmarks?: boolean
}

/** A change as a version sees it. */
interface Seen {
  readonly revision: number
  readonly previous: Encoded | undefined
  readonly current: Encoded | undefined
}

/** An event before it is encoded; `change` is shared by all watchers of the same change. */
export type Event =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
      readonly object: Encoded
      readonly change?: Seen
    }
  | { readonly type: 'BOOKMARK'; readonly revision: number; readonly endsInitialEvents: boolean }

/** How often a watch that allows bookmarks gets one when nothing else comes. */
const bookmarkEveryMs = 60_000

/**
 * Events of one kind, batch by batch, until the signal. Without a version (or with 0) the objects that are there come
 * first as ADDED.
 *
 * @throws {StatusError} `Expired` when the version is older than the history kept, at once or when the watcher falls
 *   too far behind; `Timeout` when initial events are wanted of a version that is still to come (a mere watch waits for
 *   it); a failure without a reason when the text is no version.
 */
export async function* watchObjects(
  store: Store<KubeObject>,
  request: ResourceRequest,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly Event[]> {
  const resource = storedAs(request.resource)
  const prefix = prefixOf(resource, request.resource.namespaced ? request.namespace : undefined)
  const asked = checkOptions(store, options)
  const startsWithList = options.sendInitialEvents ?? (asked === undefined || asked === 0)
  const after = startsWithList || asked === undefined ? store.revision : asked
  const select = (changes: readonly Change<KubeObject>[]): Promise<Event[]> | Event[] =>
    request.resource.conversion
      ? convertedEvents(request, options.selection, changes)
      : changes.flatMap((change) => eventFor(request, options.selection, change) ?? [])
  try {
    // Subscribe before reading what is there: a change between the two would be lost otherwise.
    const changes = store.watch(prefix, { after, signal })[Symbol.asyncIterator]()
    if (startsWithList) {
      const initial: Event[] = []
      const { conversion } = request.resource
      const scan = store.scan(prefix)
      const there: Iterable<Encoded> = conversion ? await allInVersion({ conversion }, [...scan]) : scan
      for (const object of there)
        if (options.selection.matches(shaped(request, object.value))) initial.push({ type: 'ADDED', object })
      if (options.sendInitialEvents && options.allowBookmarks)
        initial.push({ type: 'BOOKMARK', revision: after, endsInitialEvents: true })
      if (initial.length > 0) yield initial
    }
    yield* withBookmarks(changes, store, options, select, signal)
  } catch (error) {
    if (error instanceof HistoryGone) throw expired(`too old resource version: ${after} (${error.oldest})`)
    throw error
  }
}

async function* withBookmarks(
  changes: AsyncIterator<readonly Change<KubeObject>[]>,
  store: Store<KubeObject>,
  options: WatchOptions,
  select: (changes: readonly Change<KubeObject>[]) => Promise<Event[]> | Event[],
  signal: AbortSignal,
): AsyncGenerator<readonly Event[]> {
  let waiting: Promise<IteratorResult<readonly Change<KubeObject>[]>> | undefined
  try {
    for (;;) {
      // Asked for only when the reader is back: what comes meanwhile is then one batch.
      const next = (waiting ??= changes.next())
      const result = options.allowBookmarks ? await orBookmark(next, signal) : await next
      if (result === 'bookmark') {
        yield [{ type: 'BOOKMARK', revision: store.revision, endsInitialEvents: false }]
        continue
      }
      if (result.done) return
      waiting = undefined
      const selected = select(result.value)
      const events = selected instanceof Promise ? await selected : selected
      if (events.length > 0) yield events
    }
  } finally {
    await changes.return?.()
  }
}

async function orBookmark<T>(next: Promise<T>, signal: AbortSignal): Promise<T | 'bookmark'> {
  let timer: NodeJS.Timeout | undefined
  const quiet = new Promise<'bookmark'>((resolve) => {
    timer = setTimeout(() => resolve('bookmark'), bookmarkEveryMs)
    timer.unref()
  })
  try {
    const result = await Promise.race([next, quiet])
    return result === 'bookmark' && signal.aborted ? await next : result
  } finally {
    clearTimeout(timer)
  }
}

function checkOptions(store: Store<KubeObject>, options: WatchOptions): number | undefined {
  const { resourceVersion } = options
  if (!resourceVersion) return undefined
  const revision = parseRevision(resourceVersion, plainFailure)
  if (options.sendInitialEvents && revision > store.revision) throw tooLarge(revision, store.revision)
  return revision
}

/** What a change means to a watcher with this selection: objects enter and leave a selection as they change. */
function eventFor(request: ResourceRequest, selection: Selection, change: Seen): Event | undefined {
  const { previous, current } = change
  if (selection.isEverything) {
    if (!current) return previous && { type: 'DELETED', object: removed(change, previous), change }
    return { type: previous ? 'MODIFIED' : 'ADDED', object: current, change }
  }
  const was = previous !== undefined && selection.matches(shaped(request, previous.value))
  const is = current !== undefined && selection.matches(shaped(request, current.value))
  if (is && current) return { type: was ? 'MODIFIED' : 'ADDED', object: current, change }
  return was && previous ? { type: 'DELETED', object: removed(change, previous), change } : undefined
}

/** The events of changes in a version that somebody else converts to: everything is converted before it is looked at. */
async function convertedEvents(
  request: ResourceRequest,
  selection: Selection,
  changes: readonly Change<KubeObject>[],
): Promise<Event[]> {
  const before = changes.map(({ previous }) => previous)
  const after = changes.map(({ current }) => current)
  const stored = [...before, ...after].filter((one) => one !== undefined)
  const converted = await allInVersion(request.resource, stored)
  const forms = new Map(stored.map((one, index) => [one, converted[index]]))
  return changes.flatMap(({ revision, previous, current }) => {
    const seen = {
      revision,
      previous: previous && forms.get(previous),
      current: current && forms.get(current),
    }
    const event = eventFor(request, selection, seen)
    return event ? [event] : []
  })
}

const removals = new WeakMap<Seen, Encoded>()

/** The last state of a removed object carries the version of its removal, so that a watch can go on from there. */
function removed(change: Seen, previous: Encoded): Encoded {
  let object = removals.get(change)
  if (!object) {
    const value: KubeObject = {
      ...previous.value,
      metadata: { ...previous.value.metadata, resourceVersion: String(change.revision) },
    }
    object = { value, json: exactJsonText(value) }
    removals.set(change, object)
  }
  return object
}
