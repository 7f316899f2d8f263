import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/**
 * Writes a file whole and on disk before it settles: a reader, or a crash, finds the old text or the new one, never a part.
 * The directory must exist. An owner can be given by root alone.
 */
export async function writeWhole(
  path: string,
  text: string,
  { mode, owner }: { readonly mode: number; readonly owner?: { readonly uid: number; readonly gid: number } },
): Promise<void> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(unfinished, 'wx', mode)
    try {
      await file.writeFile(text)
      if (owner !== undefined) await file.chown(owner.uid, owner.gid)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** The same for a file that nobody else may read. Directories that are missing are made for the owner alone. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeWhole(path, text, { mode: 0o600 })
}

/** The text of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Is it an error of the operating system with one of these codes, as in `ENOENT`? */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

const lockStaleMs = 30_000
const lockPatienceMs = 10_000

/**
 * Does `work` while no other program that asks for the same lock works on this file. A lock that its holder left behind
 * is broken after half a minute; without a place for a lock the work is done all the same.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`
  const isHeld = await takeLock(lock)
  try {
    return await work()
  } finally {
    if (isHeld) await rm(lock, { force: true })
  }
}

async function takeLock(lock: string): Promise<boolean> {
  const giveUpAt = Date.now() + lockPatienceMs
  while (Date.now() < giveUpAt) {
    try {
      await (await open(lock, 'wx', 0o600)).close()
      return true
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) return false
    }
    if (await isStale(lock)) await rm(lock, { force: true })
    else await setTimeout(50)
  }
  return false
}

async function isStale(lock: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(lock)).mtimeMs > lockStaleMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
