import { readFile, realpath, stat } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { cannotWrite, hasCode, readIfThere, writeWhole } from '../../files.ts'
import { type LockOptions, withLock } from '../../lock.ts'

const lockPatienceMs = 10_000

/**
 * Writes an organisation file whole: a reader, or a crash, finds the old text or the new one. Who may read it, who owns
 * it and a link to it stay as they are.
 *
 * @param before what the new text was made from; when the file no longer says so, it is left as it is
 * @throws {UserError} `FILE_UNREADABLE`, `CONFLICT`, `LOCKED`
 */
export async function writeOrgFile(path: string, text: string, before?: string): Promise<void> {
  try {
    if (before === undefined) return await write(await targetOf(path), text)
    await changeOrgFile(path, (current) => {
      if (current !== before) throw changedMeanwhile(path)
      return text
    })
  } catch (error) {
    throw unwritable(path, error)
  }
}

/**
 * Writes an organisation file that is not there yet.
 *
 * @throws {UserError} `ALREADY_EXISTS`, `FILE_UNREADABLE`, `LOCKED`
 */
export async function createOrgFile(path: string, text: string): Promise<void> {
  try {
    await withLock(path, lockOptions(path), async () => {
      if ((await readIfThere(path)) !== undefined) throw alreadyThere(path)
      await write(path, text)
    })
  } catch (error) {
    throw unwritable(path, error)
  }
}

/** What is said of a file that is not to be written over. */
export function alreadyThere(path: string): UserError {
  return new UserError('ALREADY_EXISTS', `organisation file "${path}" exists already`, {
    hint: 'name another one with -f FILE, or write over it with --force',
  })
}

/**
 * Changes an organisation file from what it says at that moment, so that of many who do so at once nobody's change is lost.
 *
 * @throws {UserError} `FILE_UNREADABLE`, `LOCKED`, and what `change` throws; then the file is left as it is
 */
export async function changeOrgFile(path: string, change: (text: string) => string): Promise<void> {
  try {
    const file = await targetOf(path)
    await withLock(file, lockOptions(path), async () => {
      const current = await readFile(file, 'utf8')
      const text = change(current)
      if (text !== current) await write(file, text)
    })
  } catch (error) {
    throw unwritable(path, error)
  }
}

const lockOptions = (path: string): LockOptions => ({
  subject: `organisation file "${path}"`,
  what: 'command',
  patienceMs: lockPatienceMs,
})

function unwritable(path: string, cause: unknown): unknown {
  return cannotWrite(`organisation file "${path}"`, cause)
}

function changedMeanwhile(path: string): UserError {
  return new UserError('CONFLICT', `somebody else changed organisation file "${path}" meanwhile`, {
    hint: 'nothing was changed; run the command again',
  })
}

async function write(file: string, text: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  await writeWhole(file, text, {
    mode: found === undefined ? 0o644 : found.mode & 0o777,
    // An admin's file stays theirs when root changes it, as on the client host.
    ...(found !== undefined && process.getuid?.() === 0 && { owner: found }),
  })
}

async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return path
    throw error
  }
}
