import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { open } from 'lmdb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backupCluster, restoreCluster, startCluster, usualConfig } from '../../src/cluster/index.ts'

const command = join(import.meta.dirname, '../../dist/arena.js')
let directory: string
let whole: string
let backup: string
const mounts: string[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-unusual-'))
  whole = join(directory, 'whole')
  backup = join(directory, 'whole.arena')
  const cluster = await startCluster({
    dataDir: whole,
    config: { ...usualConfig, nodes: [] },
    log: () => undefined,
  })
  await cluster.close()
  await backupCluster(whole, backup)
})
afterAll(async () => {
  for (const mount of mounts) execFileSync('umount', [mount])
  await rm(directory, { recursive: true, force: true })
})

async function copy(): Promise<string> {
  const dataDir = join(await mkdtemp(join(directory, 'tried-')), 'cluster')
  await cp(whole, dataDir, { recursive: true })
  return dataDir
}

interface Said {
  readonly status: number
  readonly error: string
}

/** Runs `arena` to its end: the cases here all end by themselves. */
function arena(words: readonly string[], options: { uid?: number; gid?: number } = {}): Promise<Said> {
  return new Promise((resolve) => {
    const environment = { PATH: process.env['PATH'], HOME: directory, NO_COLOR: '1' }
    execFile(
      process.execPath,
      [command, 'cluster', ...words],
      { ...options, env: environment, timeout: 20_000 },
      (error, _out, said) => {
        resolve({ status: typeof error?.code === 'number' ? error.code : error ? -1 : 0, error: said })
      },
    )
  })
}

describe('a data directory of a newer version', () => {
  let dataDir: string
  let before: Buffer

  beforeAll(async () => {
    dataDir = await copy()
    const environment = open({ path: join(dataDir, 'store'), noSubdir: false, maxDbs: 4 })
    await environment.openDB<unknown, string>({ name: 'meta', encoding: 'json' }).put('format', 99)
    await environment.close()
    before = await readFile(join(dataDir, 'store/data.mdb'))
  })

  it.each([
    ['start', () => ['start']],
    ['backup', () => ['backup', join(directory, 'newer.arena')]],
  ])('is left alone by %s, which names both versions and the way out', async (_, words) => {
    const { status, error } = await arena([...words(), '--data-dir', dataDir])
    expect(status).toBeGreaterThan(0)
    expect(error).toContain('has format 99; this program reads format 2')
    expect(error).toContain('use the version of arena that wrote it')
    expect(error).not.toContain('reset')
    expect(await readFile(join(dataDir, 'store/data.mdb'))).toEqual(before)
    expect(existsSync(join(directory, 'newer.arena'))).toBe(false)
  })

  it('as a backup is refused by its version, whatever else is in it', async () => {
    const file = join(directory, 'newer-backup')
    const lines = [{ arenaBackup: 99, made: '', revision: 1, pki: {} }, { somethingNew: true }]
    await writeFile(file, gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
    await expect(restoreCluster(dataDir, file)).rejects.toThrow(
      /it has format 99, and this program reads format 1/,
    )
  })
})

/** Makes a directory read-only even for root. */
function mountReadOnly(dataDir: string): boolean {
  try {
    execFileSync('mount', ['--bind', dataDir, dataDir], { stdio: 'ignore' })
    mounts.push(dataDir)
    execFileSync('mount', ['-o', 'remount,bind,ro', dataDir], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('a data directory that cannot be written', () => {
  it.skipIf(process.getuid?.() !== 0)(
    'as on a read-only disk is refused by start and restore, and can be backed up',
    async ({ skip }) => {
      const dataDir = await copy()
      if (!mountReadOnly(dataDir)) return skip()
      for (const words of [['start'], ['restore', backup, '--yes']]) {
        const { status, error } = await arena([...words, '--data-dir', dataDir])
        expect(status, error).toBeGreaterThan(0)
        expect(error).toMatch(/the data directory ".*" cannot be written/)
        expect(error).not.toMatch(/^ +at /m)
      }
      const file = join(directory, 'from-read-only.arena')
      expect(await arena(['backup', file, '--data-dir', dataDir])).toMatchObject({ status: 0 })
      await restoreCluster(join(directory, 'anew'), file)
    },
    60_000,
  )

  it.skipIf(process.getuid?.() !== 0)(
    'of another user is refused by start, restore and backup, and is not taken for an empty one',
    async ({ skip }) => {
      const nobody = { uid: 65_534, gid: 65_534 }
      // The program itself may lie where nobody else may look.
      if ((await arena(['start', '--help'], nobody)).status !== 0) return skip()
      const dataDir = await copy()
      // The way to it is open, to it alone is not.
      await chmod(directory, 0o755)
      await chmod(join(dataDir, '..'), 0o755)
      await chmod(dataDir, 0o700)
      const readable = join(directory, 'everyone.arena')
      await cp(backup, readable)
      await chmod(readable, 0o644)
      const goal = join(directory, 'goal')
      await mkdir(goal)
      await chmod(goal, 0o777)
      for (const words of [['start'], ['restore', readable, '--yes'], ['backup', join(goal, 'file')]]) {
        const { status, error } = await arena([...words, '--data-dir', dataDir], nobody)
        expect(status, error).toBeGreaterThan(0)
        expect(error).toMatch(/the data directory ".*" cannot be (read|written)/)
        expect(error).not.toMatch(/^ +at /m)
      }
    },
    60_000,
  )
})
