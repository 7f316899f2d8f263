import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withLock } from '../src/lock.ts'

/** Adds one to a number in a file, so often, under the lock; with `hold` it takes the lock, says so, and keeps it. */
const program = `
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { withLock } from './src/lock.ts'
const [file, task] = process.argv.slice(2)
const options = { subject: 'the number', what: 'count', patienceMs: 60000 }
if (task === 'hold') {
  await withLock(file, options, async () => {
    process.stdout.write('held')
    await setTimeout(60000)
  })
}
for (let left = Number(task); left > 0; left--) {
  await withLock(file, options, async () => {
    const number = Number(await readFile(file, 'utf8'))
    await setTimeout(1)
    await writeFile(file, String(number + 1))
  })
}
`

let directory: string
let file: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-lock-'))
  file = join(directory, 'number')
  await build({
    stdin: { contents: program, resolveDir: resolve('.'), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: join(directory, 'count.mjs'),
  })
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const start = (task: string): ChildProcess =>
  spawn(process.execPath, [join(directory, 'count.mjs'), file, task], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

async function startHolder(): Promise<ChildProcess> {
  const holder = start('hold')
  if (holder.stdout !== null) await once(holder.stdout, 'data')
  return holder
}

const locksLeft = async (): Promise<readonly string[]> =>
  (await readdir(directory)).filter((name) => name.includes('.lock-'))

const ask = (patienceMs: number) => ({ subject: 'the number', what: 'ask', patienceMs })

describe('a lock', () => {
  it('lets one of many processes work at a time, and leaves nothing behind', async () => {
    await writeFile(file, '0')
    const counters = Array.from({ length: 6 }, () => start('15'))
    const ends = await Promise.all(counters.map((counter) => once(counter, 'exit')))
    expect(ends.map(([status]) => status)).toEqual([0, 0, 0, 0, 0, 0])
    expect(await readFile(file, 'utf8')).toBe('90')
    expect(await locksLeft()).toEqual([])
  })

  it('of a process that was killed stops nobody; that of one that lives names it', async () => {
    const holder = await startHolder()
    await expect(withLock(file, ask(0), () => Promise.resolve())).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(
        new RegExp(
          `^the number is being changed by "arena count" \\(process ${holder.pid} on \\S+\\) since 20`,
        ),
      ),
    })
    const ended = once(holder, 'exit')
    holder.kill('SIGKILL')
    await ended
    expect(await locksLeft()).toHaveLength(1)
    expect(await withLock(file, ask(0), () => Promise.resolve('mine'))).toBe('mine')
    expect(await locksLeft()).toEqual([])
  })

  it('is waited for as long as was asked, and says once for whom', async () => {
    const holder = await startHolder()
    const waitedFor: (number | undefined)[] = []
    const waiting = withLock(
      file,
      { ...ask(20_000), onWait: ({ pid }) => waitedFor.push(pid) && holder.kill('SIGKILL') },
      () => Promise.resolve('mine'),
    )
    expect(await waiting).toBe('mine')
    expect(waitedFor).toEqual([holder.pid])
  })

  it('of another machine holds while it shows signs of life, and for a minute after', async () => {
    const foreign = join(directory, '.number.lock-0badcafe-1-1-abc')
    await writeFile(foreign, '')
    await expect(withLock(file, ask(0), () => Promise.resolve())).rejects.toMatchObject({ code: 'LOCKED' })
    const longAgo = new Date(Date.now() - 61_000)
    await utimes(foreign, longAgo, longAgo)
    expect(await withLock(file, ask(0), () => Promise.resolve('mine'))).toBe('mine')
  })

  it('is refused in words where no file can be made', async () => {
    await expect(
      withLock(join(directory, 'no/number'), ask(0), () => Promise.resolve()),
    ).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('the number cannot be written'),
    })
  })
})
