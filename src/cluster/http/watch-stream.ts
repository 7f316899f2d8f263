import { StatusError, type KubeObject, type WatchEvent } from '../../kube/index.ts'
import { apiVersionOf, type Encoded, type Event, type ResourceDefinition } from '../registry/index.ts'
import { type AnswerForm, objectText } from './answers.ts'
import type { ApiResponse } from './message.ts'
import { sharedObject } from './shared.ts'

const longPiece = 256 * 1024

/** Lines made once for all watchers of the same change that want the plain form. */
const lines = new WeakMap<Encoded, Map<string, Buffer>>()
/** Whose lines are kept, in turn: watchers ask for them at about the same time, objects stay for long. */
const linesKept: WeakRef<Encoded>[] = []
const mostLinesKept = 512
let nextLine = 0

/** The answer to a watch: one JSON line per event, batches as one piece. Failures on the way end it with an ERROR line. */
export async function watchAnswer(
  definition: ResourceDefinition,
  events: AsyncIterable<readonly Event[]>,
  form: AnswerForm,
): Promise<ApiResponse> {
  // The first step runs now, so that what is no version is a failed answer and not a broken stream.
  const iterator = events[Symbol.asyncIterator]()
  const first = iterator.next()
  const failure = await Promise.race([
    first.then(
      () => undefined,
      (error: unknown) => error,
    ),
    nextTurn(),
  ])
  if (failure && !endsStream(failure)) throw failure
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: pieces(definition, iterator, first, form),
    mayGather: true,
    // One of the two is read; the other never begins.
    ...(form.wanted.as === undefined && {
      shared: { events: () => sharedEvents(definition, iterator, first) },
    }),
  }
}

/** The events for a reader in this process: nothing is encoded, and nothing is decoded again. */
async function* sharedEvents(
  definition: ResourceDefinition,
  iterator: AsyncIterator<readonly Event[]>,
  first: Promise<IteratorResult<readonly Event[]>>,
): AsyncGenerator<readonly WatchEvent<KubeObject>[]> {
  try {
    for (let next = first; ; next = iterator.next()) {
      const result = await next
      if (result.done) return
      yield result.value.map((event) =>
        event.type === 'BOOKMARK'
          ? { type: event.type, object: { metadata: bookmarkMetadata(event) } }
          : { type: event.type, object: sharedObject(definition, event.object) },
      )
    }
  } finally {
    await iterator.return?.()
  }
}

/** Once a watch has been allowed and its version read, Kubernetes tells of everything else in the stream. */
function endsStream(failure: unknown): boolean {
  return failure instanceof StatusError && (failure.reason === 'Expired' || failure.reason === 'Timeout')
}

async function nextTurn(): Promise<undefined> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
  return undefined
}

async function* pieces(
  definition: ResourceDefinition,
  iterator: AsyncIterator<readonly Event[]>,
  first: Promise<IteratorResult<readonly Event[]>>,
  form: AnswerForm,
): AsyncGenerator<Uint8Array> {
  let withColumns = true
  try {
    for (let next = first; ; next = iterator.next()) {
      const result = await next
      if (result.done) return
      let batch: Buffer[] = []
      let bytes = 0
      for (const event of result.value) {
        const made = line(definition, event, form, withColumns)
        withColumns = false
        batch.push(made)
        bytes += made.length
        if (bytes < longPiece) continue
        // A slow reader of many events holds one piece of them at a time.
        yield Buffer.concat(batch)
        batch = []
        bytes = 0
      }
      if (batch.length === 0) continue
      yield batch.length === 1 && batch[0] ? batch[0] : Buffer.concat(batch)
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    yield Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`)
  } finally {
    await iterator.return?.()
  }
}

function line(definition: ResourceDefinition, event: Event, form: AnswerForm, withColumns: boolean): Buffer {
  if (event.type === 'BOOKMARK') return bookmark(definition, event, form)
  const isPlain = form.wanted.as === undefined
  const cacheKey = `${event.type} ${definition.version}`
  const known = isPlain ? lines.get(event.object)?.get(cacheKey) : undefined
  if (known) return known
  const text = objectText(definition, event.object, form, { withColumns })
  const made = Buffer.from(`{"type":"${event.type}","object":${text}}\n`)
  if (isPlain && event.change) {
    const cache = lines.get(event.object)
    if (cache) cache.set(cacheKey, made)
    else keepLines(event.object, new Map([[cacheKey, made]]))
  }
  return made
}

function keepLines(object: Encoded, cache: Map<string, Buffer>): void {
  const oldest = linesKept[nextLine]?.deref()
  if (oldest) lines.delete(oldest)
  linesKept[nextLine] = new WeakRef(object)
  nextLine = (nextLine + 1) % mostLinesKept
  lines.set(object, cache)
}

function bookmark(
  definition: ResourceDefinition,
  event: Event & { type: 'BOOKMARK' },
  form: AnswerForm,
): Buffer {
  const metadata = bookmarkMetadata(event)
  const object =
    form.wanted.as === undefined
      ? { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata }
      : form.wanted.as === 'Table'
        ? { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: null, rows: [] }
        : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
  return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)
}

function bookmarkMetadata(event: Event & { type: 'BOOKMARK' }): KubeObject['metadata'] {
  return {
    resourceVersion: String(event.revision),
    ...(event.endsInitialEvents && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
  }
}
