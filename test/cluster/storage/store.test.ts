import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { assert as property, asyncProperty, constantFrom, integer, array, tuple } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Change,
  type Disk,
  HistoryGone,
  memoryDisk,
  openLmdb,
  OrderedStore,
  type Store,
  StoreConflict,
  StoreFailed,
  type StoreOptions,
} from '../../../src/cluster/storage/index.ts'
import { Subscription } from '../../../src/cluster/storage/subscription.ts'

interface Value {
  readonly at: number
  readonly text: string
}

const put = (store: Store<Value>, key: string, text = ''): Promise<{ revision: number } | undefined> =>
  store.write({
    key,
    expected: store.latest(key)?.revision ?? 0,
    make: (at) => ({ value: { at, text }, json: JSON.stringify({ at, text }) }),
  })
const remove = (store: Store<Value>, key: string): Promise<unknown> =>
  store.write({ key, expected: store.latest(key)?.revision ?? 0 })
const keysOf = (store: Store<Value>, options?: Parameters<Store['scan']>[1]): string[] =>
  [...store.scan('g/things/', options)].map(({ key }) => key.slice('g/things/'.length))

/** The next changes of a watch, as many as asked for. */
async function take(
  changes: AsyncIterable<readonly Change<Value>[]>,
  count: number,
): Promise<Change<Value>[]> {
  const taken: Change<Value>[] = []
  for await (const batch of changes) {
    taken.push(...batch)
    if (taken.length >= count) break
  }
  return taken
}

describe.each(['memory', 'LMDB'])('a store on a disk of %s', (kind) => {
  let directory: string
  let store: OrderedStore<Value>
  const open = (options?: StoreOptions): OrderedStore<Value> =>
    new OrderedStore<Value>(kind === 'LMDB' ? openLmdb(join(directory, 'store')) : memoryDisk(), options)

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'arena-store-'))
    store = open()
  })
  afterEach(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('refuses a write that expects another revision, at once and with the one there is', async () => {
    const first = await put(store, 'g/things/a')
    const late = store.write({ key: 'g/things/a', expected: 99 })
    await expect(late).rejects.toBeInstanceOf(StoreConflict)
    await expect(store.write({ key: 'g/things/a', expected: 0 })).rejects.toMatchObject({
      actual: first?.revision,
    })
    expect(store.revision).toBe(1)
  })

  it('shows a write to writers at once and to readers when it is durable', async () => {
    const writing = put(store, 'g/things/a', 'x')
    expect(store.get('g/things/a')).toBeUndefined()
    expect(store.latest('g/things/a')?.value.text).toBe('x')
    await writing
    expect(store.get('g/things/a')?.value).toEqual({ at: 1, text: 'x' })
  })

  it('publishes writes in the order of their revisions, whatever came while the disk was busy', async () => {
    const stop = new AbortController()
    const seen = take(store.watch('g/things/', { after: 0, signal: stop.signal }), 60)
    const writes = Array.from({ length: 30 }, (_, index) => put(store, `g/things/${index}`))
    await writes[0]
    writes.push(...Array.from({ length: 30 }, (_, index) => put(store, `g/things/${index}`)))
    await Promise.all(writes)
    expect((await seen).map(({ revision }) => revision)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
  })

  it('lists in byte order, page by page, as of an older revision too', async () => {
    for (const key of ['b', 'a', 'a/b', 'aa', 'ä']) await put(store, `g/things/${key}`)
    await put(store, 'g/thingsother/z')
    const then = store.revision
    await remove(store, 'g/things/aa')
    await put(store, 'g/things/c')
    expect(keysOf(store)).toEqual(['a', 'a/b', 'b', 'c', 'ä'])
    expect(keysOf(store, { at: then })).toEqual(['a', 'a/b', 'aa', 'b', 'ä'])
    expect(keysOf(store, { at: then, after: 'g/things/a/b' })).toEqual(['aa', 'b', 'ä'])
    expect(store.count('g/things/')).toBe(5)
  })

  it('tells who asks for forgotten history', async () => {
    await store.close()
    store = open({ history: { changes: 5 } })
    for (let index = 0; index < 20; index++) await put(store, `g/things/${index % 3}`)
    expect(() => [...store.scan('g/things/', { at: 2 })]).toThrow(HistoryGone)
    const { signal } = new AbortController()
    expect(() => store.watch('g/things/', { after: 2, signal })).toThrow(HistoryGone)
    expect(() => store.watch('g/things/', { after: store.oldestKnown, signal })).not.toThrow()
  })

  it('cuts off a watcher that falls too far behind, and nobody else', async () => {
    await store.close()
    store = open({ watcherBacklog: 10 })
    const stop = new AbortController()
    const lazy = store.watch('g/things/', { after: store.revision, signal: stop.signal })
    const busy = take(store.watch('g/things/', { after: store.revision, signal: stop.signal }), 30)
    for (let index = 0; index < 30; index++) await put(store, `g/things/${index}`)
    await expect(take(lazy, 30)).rejects.toBeInstanceOf(HistoryGone)
    expect(await busy).toHaveLength(30)
  })

  it('ends watches and refuses writes when it is closed', async () => {
    const watching = take(store.watch('g/things/', { after: 0, signal: new AbortController().signal }), 5)
    await store.close()
    expect(await watching).toEqual([])
    await expect(put(store, 'g/things/a')).rejects.toBeInstanceOf(StoreFailed)
    store = open()
  })

  it('behaves like a map with a log, whatever is done to it', async () => {
    const step = tuple(constantFrom('put', 'put', 'put', 'remove', 'reopen'), integer({ min: 0, max: 5 }))
    await property(
      asyncProperty(array(step, { maxLength: 40 }), async (steps) => {
        const model = new Map([...store.scan('g/things/')].map(({ key, json }) => [key, json]))
        let last = store.revision
        for (const [what, index] of steps) {
          const key = `g/things/${index}`
          if (what === 'reopen') {
            if (kind === 'memory') continue
            await store.close()
            store = open()
            expect(store.revision).toBe(last)
          } else if (what === 'put') {
            const stored = await put(store, key, `${last}`)
            expect(stored?.revision).toBe(++last)
            model.set(key, JSON.stringify({ at: last, text: `${last - 1}` }))
          } else if (model.delete(key)) {
            await remove(store, key)
            last++
          }
        }
        expect(new Map([...store.scan('g/things/')].map(({ key, json }) => [key, json]))).toEqual(model)
      }),
      { numRuns: 25 },
    )
  })
})

describe('a store that is opened again', () => {
  it('goes on with revisions and history, so that watches resume without a gap', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'arena-store-'))
    try {
      const before = new OrderedStore<Value>(openLmdb(directory))
      for (let index = 0; index < 10; index++) await put(before, `g/things/${index % 4}`, `v${index}`)
      await remove(before, 'g/things/3')
      await before.close()
      const after = new OrderedStore<Value>(openLmdb(directory))
      expect(after.revision).toBe(11)
      const { signal } = new AbortController()
      const changes = await take(after.watch('g/things/', { after: 6, signal }), 5)
      expect(changes.map(({ revision, current }) => [revision, current?.value.text])).toEqual([
        [7, 'v6'],
        [8, 'v7'],
        [9, 'v8'],
        [10, 'v9'],
        [11, undefined],
      ])
      await after.close()
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})

describe('a store whose disk fails', () => {
  it('acknowledges nothing that is not there, shows it to nobody, and works again later', async () => {
    let isBroken = false
    const log: number[] = []
    const disk: Disk = {
      ...memoryDisk(),
      append: async (batch) => {
        await Promise.resolve()
        if (isBroken) throw new Error('no space left')
        log.push(...batch.map(({ revision }) => revision))
      },
    }
    const store = new OrderedStore<Value>(disk)
    await put(store, 'g/things/a', 'old')
    const stop = new AbortController()
    const watching = take(store.watch('g/things/', { after: 1, signal: stop.signal }), 1)
    isBroken = true
    const failing = [
      put(store, 'g/things/a', 'new'),
      put(store, 'g/things/b'),
      put(store, 'g/things/a', 'newer'),
    ]
    for (const write of await Promise.allSettled(failing))
      expect(write).toMatchObject({ status: 'rejected', reason: { name: 'StoreFailed' } })
    expect(store.latest('g/things/a')?.value.text).toBe('old')
    expect(store.get('g/things/b')).toBeUndefined()
    expect(store.revision).toBe(1)
    isBroken = false
    expect((await put(store, 'g/things/b', 'again'))?.revision).toBe(2)
    expect((await watching).map(({ current }) => current?.value.text)).toEqual(['again'])
    expect(log).toEqual([1, 2])
    await store.close()
  })
})

describe('a watcher of a store', () => {
  it('is forgotten by its signal, whether it has begun to read or not', () => {
    let ends = 0
    const stop = new AbortController()
    new Subscription('g/things/', 0, [], 10, () => ends++).batches(stop.signal)
    stop.abort()
    expect(ends).toBe(1)
  })
})

describe('a store of large values', () => {
  it('lets go of history beyond its limit at once', async () => {
    const store = new OrderedStore<Value>(memoryDisk(), { history: { bytes: 3_000_000 } })
    let former: WeakRef<object> | undefined
    for (let index = 0; index < 20; index++) {
      await put(store, 'g/things/a', `${index}${'x'.repeat(1_000_000)}`)
      if (index === 2) former = new WeakRef(store.get('g/things/a') ?? {})
    }
    setFlagsFromString('--expose-gc')
    // A weak reference lives until the end of the turn that looked at it.
    await new Promise<void>((resolve) => void setImmediate(resolve))
    runInNewContext('gc')()
    expect(former?.deref()).toBeUndefined()
    await store.close()
  })
})

describe('a decoded value that has not been used for a while', () => {
  async function settled(store: Store<Value>): Promise<void> {
    for (let index = 0; index < 300; index++) await put(store, `g/things/later${index}`)
  }

  it('is the same for those who hold it and those who come later', async () => {
    const store = new OrderedStore<Value>(memoryDisk())
    await put(store, 'g/things/a', 'text')
    const held = store.get('g/things/a')?.value
    await settled(store)
    expect(store.get('g/things/a')?.value).toBe(held)
    await store.close()
  })

  it('is let go of when nobody holds it, and made again from its text', async () => {
    const store = new OrderedStore<Value>(memoryDisk())
    await put(store, 'g/things/a', 'text')
    const value = new WeakRef(store.get('g/things/a')?.value ?? {})
    await settled(store)
    setFlagsFromString('--expose-gc')
    await new Promise<void>((resolve) => void setImmediate(resolve))
    runInNewContext('gc')()
    expect(value.deref()).toBeUndefined()
    expect(store.get('g/things/a')?.value).toEqual({ at: 1, text: 'text' })
    await store.close()
  })
})
