import { randomBytes } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { UserError } from '../../errors.ts'

/**
 * Writes an organisation file whole: a reader, or a crash, finds the old text or the new one.
 *
 * @throws {UserError} `FILE_UNREADABLE`
 */
export async function writeOrgFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', await modeOf(path))
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
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
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0o644
    throw error
  }
}
