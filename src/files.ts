import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from './errors.ts'

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

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room on it',
  EDQUOT: 'your share of the disk is used up: make room in it',
  EROFS: 'the file system may only be read: choose another place',
  EACCES: 'you may not write there: run this as the owner, or choose another place',
  EPERM: 'you may not write there: run this as the owner, or choose another place',
  ENOENT: 'the directory is not there: make it first',
  ENOTDIR: 'a part of the path is no directory: choose another place',
  EISDIR: 'a directory of that name is there: choose another name',
  ENAMETOOLONG: 'the name is too long: choose a shorter one',
}

/**
 * What a person is told when something could not be written: `what` as in `file "x.json"`. Errors that are not the
 * operating system's come back as they are.
 */
export function cannotWrite(what: string, cause: unknown): unknown {
  return cannot('written', what, cause)
}

/** The same for what could not be read. */
export function cannotRead(what: string, cause: unknown): unknown {
  return cannot('read', what, cause)
}

function cannot(done: 'read' | 'written', what: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) return cause
  const reason = reasons[String(cause.code)]
  const hint = done === 'written' || !hasCode(cause, 'EACCES', 'EPERM') ? reason : 'run this as the owner'
  return new UserError('FILE_UNREADABLE', `${what} cannot be ${done}`, { hint: hint ?? cause.message, cause })
}
