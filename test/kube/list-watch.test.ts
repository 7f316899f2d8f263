import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createKubeClient,
  kinds,
  keyOf,
  runReconciler,
  startInformer,
  type Transport,
  WorkQueue,
} from '../../src/kube/index.ts'

interface Step {
  readonly path: RegExp
  readonly lines: readonly unknown[]
  readonly stays?: boolean
}

/** A transport that gives prepared answers in turn, and then answers that never end. */
function prepared(steps: readonly Step[]): { transport: Transport; paths: string[] } {
  const paths: string[] = []
  let next = 0
  const transport: Transport = async ({ path, signal }) => {
    paths.push(path)
    const step = steps[next]
    if (step !== undefined && step.path.test(path)) next += 1
    async function* body(): AsyncGenerator<Uint8Array> {
      for (const line of step?.lines ?? []) yield Buffer.from(`${JSON.stringify(line)}\n`)
      if (step === undefined || step.stays === true) {
        await new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
      }
    }
    return { status: 200, headers: {}, body: body() }
  }
  return { transport, paths }
}

const pod = (name: string, resourceVersion: string, uid = name) => ({
  metadata: { name, namespace: 'n', uid, resourceVersion, creationTimestamp: '2026-01-01T00:00:00Z' },
})

function collect(steps: readonly Step[]) {
  const { transport, paths } = prepared(steps)
  const stop = new AbortController()
  const informer = startInformer(createKubeClient(transport), kinds.pods, {
    namespace: 'n',
    signal: stop.signal,
    random: () => 0,
  })
  onTestFinished(async () => {
    stop.abort()
    await informer.stopped
  })
  const changes: string[] = []
  const waiters: { at: number; resolve: () => void }[] = []
  informer.subscribe((change) => {
    changes.push(change.type === 'SYNCED' ? 'SYNCED' : `${change.type} ${keyOf(change.object)}`)
    for (const waiter of waiters) if (changes.length >= waiter.at) waiter.resolve()
  })
  const after = (at: number): Promise<void> =>
    changes.length >= at ? Promise.resolve() : new Promise((resolve) => waiters.push({ at, resolve }))
  return { informer, changes, paths, after }
}

describe('an informer', () => {
  it('lists page by page, then follows from where the list ended', async () => {
    const { informer, changes, paths, after } = collect([
      {
        path: /pods\?limit/,
        lines: [{ items: [pod('a', '1')], metadata: { resourceVersion: '5', continue: 'c' } }],
      },
      { path: /continue=c/, lines: [{ items: [pod('b', '2')], metadata: { resourceVersion: '5' } }] },
      {
        path: /watch/,
        stays: true,
        lines: [
          { type: 'BOOKMARK', object: { metadata: { resourceVersion: '6' } } },
          { type: 'MODIFIED', object: pod('a', '7') },
          { type: 'DELETED', object: pod('b', '8') },
          { type: 'ADDED', object: pod('c', '9') },
        ],
      },
    ])
    await after(6)
    expect(changes).toEqual(['ADDED n/a', 'ADDED n/b', 'SYNCED', 'MODIFIED n/a', 'DELETED n/b', 'ADDED n/c'])
    expect(informer.list('n').map(({ metadata }) => metadata.name)).toEqual(['a', 'c'])
    expect(paths[2]).toContain('resourceVersion=5')
  })

  it('resumes a watch that ended from the last version it saw, without a new list', async () => {
    const { changes, paths, after } = collect([
      { path: /limit/, lines: [{ items: [], metadata: { resourceVersion: '5' } }] },
      { path: /watch/, lines: [{ type: 'ADDED', object: pod('a', '9') }] },
      { path: /watch/, stays: true, lines: [{ type: 'ADDED', object: pod('b', '10') }] },
    ])
    await after(3)
    expect(changes).toEqual(['SYNCED', 'ADDED n/a', 'ADDED n/b'])
    expect(paths[2]).toContain('resourceVersion=9')
  })

  it('lists anew when the history is gone, and tells only what differs', async () => {
    const { changes, after } = collect([
      {
        path: /limit/,
        lines: [
          { items: [pod('a', '1'), pod('b', '2'), pod('d', '3', 'old')], metadata: { resourceVersion: '5' } },
        ],
      },
      { path: /watch/, lines: [{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }] },
      {
        path: /limit/,
        lines: [
          { items: [pod('a', '1'), pod('c', '8'), pod('d', '9', 'new')], metadata: { resourceVersion: '9' } },
        ],
      },
    ])
    await after(8)
    expect(changes.slice(4)).toEqual(['DELETED n/b', 'ADDED n/c', 'DELETED n/d', 'ADDED n/d'])
  })
})

describe('a work queue', () => {
  it('holds a key once, and never gives it to two workers at a time', async () => {
    const queue = new WorkQueue()
    const stop = new AbortController()
    let running = 0
    let most = 0
    const seen: string[] = []
    for (const key of ['a', 'a', 'b']) queue.add(key)
    await runReconciler(queue, {
      signal: stop.signal,
      concurrency: 3,
      reconcile: async (key) => {
        running += 1
        most = Math.max(most, running)
        // Added while in work: comes back once.
        if (seen.length === 0) {
          queue.add(key)
          queue.add(key)
        }
        seen.push(key)
        await Promise.resolve()
        running -= 1
        if (seen.length === 3) stop.abort()
      },
    })
    expect(seen.sort()).toEqual(['a', 'a', 'b'])
    expect(most).toBe(2)
  })

  it('brings failures back, and stops with its signal', async () => {
    const queue = new WorkQueue({ firstMs: 1, largestMs: 2 })
    const stop = new AbortController()
    const errors: unknown[] = []
    let tries = 0
    queue.add('a')
    await runReconciler(queue, {
      signal: stop.signal,
      onError: (_, error) => errors.push(error),
      reconcile: async () => {
        tries += 1
        if (tries < 3) throw new Error(`try ${tries}`)
        stop.abort()
      },
    })
    expect(tries).toBe(3)
    expect(errors).toHaveLength(2)
    expect(await queue.take()).toBeUndefined()
  })
})
