import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openLmdb, OrderedStore, StoreFailed } from '../../../src/cluster/storage/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'arena-full-'))
const isMounted = mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory)

/** A disk of this size takes root, and a machine that lets root mount. */
function mount(...words: string[]): boolean {
  try {
    execFileSync('mount', words, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('a full disk', () => {
  afterAll(async () => {
    if (isMounted) execFileSync('umount', [directory])
    await rm(directory, { recursive: true, force: true })
  })

  it.skipIf(!isMounted)(
    'refuses writes and says why, lets reads go on, and takes writes again when there is room',
    async () => {
      const at = join(directory, 'store')
      const store = new OrderedStore<{ pad: string }>(openLmdb(at))
      const put = (name: string): Promise<unknown> =>
        store.write({
          key: `g/things/${name}`,
          expected: 0,
          make: () => ({ value: { pad: '' }, json: JSON.stringify({ pad: 'x'.repeat(30_000) }) }),
        })
      let acknowledged = 0
      let failure: unknown
      for (let index = 0; index < 200 && failure === undefined; index++) {
        try {
          await put(`n${index}`)
          acknowledged++
        } catch (error) {
          failure = error
        }
      }
      expect(failure).toBeInstanceOf(StoreFailed)
      expect(String(failure)).toContain('no space left')
      await expect(put('again')).rejects.toBeInstanceOf(StoreFailed)
      expect(store.count('g/things/')).toBe(acknowledged)
      mount('-o', 'remount,size=16m', directory)
      await put('later')
      expect(store.revision).toBe(acknowledged + 1)
      await store.close()
      const again = new OrderedStore<{ pad: string }>(openLmdb(at))
      expect([again.revision, again.count('g/things/')]).toEqual([acknowledged + 1, acknowledged + 1])
      await again.close()
    },
  )
})
