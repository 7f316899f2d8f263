import { readFile, realpath, stat } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { hasCode, withLock, writeWhole } from '../../files.ts'

/**
 * Writes an organisation file whole: a reader, or a crash, finds the old text or the new one. Who may read it, who owns
 * it and a link to it stay as they are.
 *
 * @param before what the new text was made from; when the file no longer says so, it is left as it is
 * @throws {UserError} `FILE_UNREADABLE`, `CONFLICT`
 */
export async function writeOrgFile(path: string, text: string, before?: string): Promise<void> {
  try {
    const file = await targetOf(path)
    if (before === undefined) return await write(file, text)
    await withLock(file, async () => {
      if ((await readFile(file, 'utf8')) !== before) throw changedMeanwhile(path)
      await write(file, text)
    })
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError('FILE_UNREADABLE', `organisation file "${path}" cannot be written`, {
      hint: 'check that the directory exists and is writable',
      cause: error,
    })
  }
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
