import { chmod, cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Copies the built program, as `arena.js`, into a directory: for accounts that may not read the tree, too. */
export async function copyProgram(directory: string): Promise<void> {
  await cp(join(import.meta.dirname, '../dist'), directory, { recursive: true })
}

/** Copies the built program and puts an `arena` for the PATH beside it. */
export async function installProgram(directory: string): Promise<void> {
  await copyProgram(directory)
  const script = join(directory, 'arena')
  await writeFile(script, `#!/bin/sh\nexec ${process.execPath} ${directory}/arena.js "$@"\n`)
  await chmod(script, 0o755)
}
