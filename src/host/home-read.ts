import { constants, open } from 'node:fs/promises'
import { hasCode } from '../files.ts'

/** What a file of a home may be long at most: keys and kubeconfigs are much shorter. */
const longest = 1024 * 1024

/**
 * Reads a file of somebody's home as root. The home is theirs to arrange: what is no plain file, endless, or a link to
 * what they may not read themselves counts as absent, so that root is neither held up nor made to tell.
 */
export async function readFromHome(
  path: string,
  owner: number,
  { isRootsWelcome = false }: { readonly isRootsWelcome?: boolean } = {},
): Promise<string | undefined> {
  try {
    // Opening a pipe would wait for a writer otherwise.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    try {
      const found = await file.stat()
      const isTheirs = found.uid === owner || (isRootsWelcome && found.uid === 0)
      if (!found.isFile() || !isTheirs || found.size > longest) return undefined
      const { bytesRead, buffer } = await file.read(Buffer.alloc(longest), 0, longest, 0)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    // Not there, or not for us to see: the plan of an ordinary user shows what it can.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR', 'ELOOP', 'ENXIO', 'ENODEV')) return undefined
    throw error
  }
}
