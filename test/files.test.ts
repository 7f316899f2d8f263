import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasCode, readIfThere, writePrivateFile, writeWhole } from '../src/files.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-files-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('a file written whole', () => {
  it('takes the place of the old one, with the mode asked for', async () => {
    const path = join(directory, 'file')
    await writeWhole(path, 'old, and longer', { mode: 0o644 })
    await writeWhole(path, 'new', { mode: 0o600 })
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await modeOf(path)).toBe(0o600)
    expect(await readdir(directory)).toEqual(['file'])
  })

  it('leaves nothing behind when it cannot take its place', async () => {
    const path = join(directory, 'taken')
    await mkdir(join(path, 'inside'), { recursive: true })
    await expect(writeWhole(path, 'text', { mode: 0o600 })).rejects.toThrow()
    expect(await readdir(directory)).toEqual(['taken'])
  })

  it('is whole for whoever reads while many write', async () => {
    const path = join(directory, 'busy')
    const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000))
    await writeWhole(path, texts[0] ?? '', { mode: 0o600 })
    const writes = Promise.all(texts.map((text) => writeWhole(path, text, { mode: 0o600 })))
    for (let reads = 0; reads < 20; reads++) expect(texts).toContain(await readFile(path, 'utf8'))
    await writes
    expect(await readdir(directory)).toEqual(['busy'])
  })
})

describe('a private file', () => {
  it('is for its owner alone, as are the directories made for it', async () => {
    const path = join(directory, 'new', 'secret')
    await writePrivateFile(path, 'text')
    expect([await modeOf(path), await modeOf(join(directory, 'new'))]).toEqual([0o600, 0o700])
  })

  it('leaves the mode of a directory that was there', async () => {
    await chmod(directory, 0o755)
    await writePrivateFile(join(directory, 'secret'), 'text')
    expect(await modeOf(directory)).toBe(0o755)
  })
})

describe('a file that may not be there', () => {
  it('reads as undefined when it is not, and fails when it is no file', async () => {
    expect(await readIfThere(join(directory, 'none'))).toBeUndefined()
    await expect(readIfThere(directory)).rejects.toSatisfy((error) => hasCode(error, 'EISDIR'))
  })
})
