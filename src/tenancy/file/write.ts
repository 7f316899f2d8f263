import { stat } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { hasCode, writeWhole } from '../../files.ts'

/**
 * Writes an organisation file whole: a reader, or a crash, finds the old text or the new one.
 *
 * @throws {UserError} `FILE_UNREADABLE`
 */
export async function writeOrgFile(path: string, text: string): Promise<void> {
  try {
    await writeWhole(path, text, { mode: await modeOf(path) })
  } catch (error) {
    throw new UserError('FILE_UNREADABLE', `organisation file "${path}" cannot be written`, {
      hint: 'check that the directory exists and is writable',
      cause: error,
    })
  }
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode & 0o777
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0o644
    throw error
  }
}
