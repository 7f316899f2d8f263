import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import { openLmdb, OrderedStore } from '../../../src/cluster/storage/index.ts'

interface Value {
  readonly pad: string
}

const directory = mkdtempSync(join(tmpdir(), 'arena-damage-'))
const pageBytes = 4096
let whole: Buffer
let content: string

const contentOf = (store: OrderedStore<Value>): string =>
  JSON.stringify([...store.scan('g/things/')].map(({ key, revision, json }) => [key, revision, json]))

/** Opens a store of these bytes: its content, or the error. */
async function open(bytes: Buffer): Promise<string | UserError> {
  const at = join(directory, 'tried')
  await rm(at, { recursive: true, force: true })
  await mkdir(at)
  await writeFile(join(at, 'data.mdb'), bytes)
  try {
    const store = new OrderedStore<Value>(openLmdb(at))
    const found = contentOf(store)
    await store.close()
    return found
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
}

describe('a store file that is not whole', () => {
  beforeAll(async () => {
    const at = join(directory, 'whole')
    const store = new OrderedStore<Value>(openLmdb(at))
    for (let round = 0; round < 12; round++)
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          store.write({
            key: `g/things/${index}`,
            expected: store.latest(`g/things/${index}`)?.revision ?? 0,
            make: () => {
              const value = { pad: 'x'.repeat((round * 397 + index * 101) % 6000) }
              return { value, json: JSON.stringify(value) }
            },
          }),
        ),
      )
    content = contentOf(store)
    await store.close()
    whole = readFileSync(join(at, 'data.mdb'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  it('is opened as it is when nothing is wrong with it', async () => {
    expect(await open(whole)).toBe(content)
  })

  it.each([
    ['cut short', () => whole.subarray(0, whole.length / 2)],
    ['cut within its header', () => whole.subarray(0, 100)],
    ['something else', () => Buffer.from('this is no store'.repeat(1000))],
    ['zeros', () => Buffer.alloc(whole.length)],
  ])('is refused when it is %s', async (_, bytes) => {
    const error = await open(bytes())
    expect(error).toMatchObject({ code: 'STORE_DAMAGED', hint: expect.stringContaining('restore') as string })
  })

  it('is refused or read right, never read wrong, wherever it is overwritten', async () => {
    let refused = 0
    for (let page = 0; page < whole.length / pageBytes; page += 11) {
      for (const width of [1, 64, pageBytes]) {
        const bytes = Buffer.from(whole)
        const at = page * pageBytes + ((page * 37) % (pageBytes - width + 1))
        for (let index = at; index < at + width; index++) bytes[index] = (bytes[index] ?? 0) ^ 0x5a
        const found = await open(bytes)
        if (typeof found === 'string') expect(found, `page ${page}, ${width} bytes`).toBe(content)
        else expect(found.code).toBe('STORE_DAMAGED')
        if (typeof found !== 'string') refused++
      }
    }
    expect(refused).toBeGreaterThan(10)
  })
})

describe('a directory', () => {
  it('is refused while another process has it open, and free when that was killed', async () => {
    const at = mkdtempSync(join(tmpdir(), 'arena-owned-'))
    const child = spawn(process.execPath, ['-e', 'console.log("there"); setInterval(() => {}, 1000)'])
    try {
      await once(child.stdout, 'data')
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
      await new OrderedStore<Value>(openLmdb(at)).close()
      await writeFile(join(at, 'owner.json'), JSON.stringify({ pid: child.pid, started }))
      expect(() => openLmdb(at)).toThrow(/in use by process/)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await openLmdb(at).close()
    } finally {
      child.kill('SIGKILL')
      await rm(at, { recursive: true, force: true })
    }
  })

  it('that cannot be made is named with what to do', () => {
    expect(() => openLmdb('/dev/null/store')).toThrow(
      expect.objectContaining({ code: 'STORE_UNWRITABLE' }) as Error,
    )
  })
})
