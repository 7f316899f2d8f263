import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Identity } from '../runtime.ts'
import { scratchDirectories } from './machine-root.ts'

/** Makes the fresh directories of a run. `extra` ones belong to the container's user, like home. */
export async function makeScratch(
  scratch: string,
  identity: Identity,
  options: { isRoot: boolean; extra: readonly string[] },
): Promise<void> {
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  const directories = [
    ...scratchDirectories,
    ...options.extra.map((name) => ({ name, mode: 0o750, isOwned: true })),
  ]
  for (const { name, mode, isOwned } of directories) {
    const path = join(scratch, name)
    await mkdir(path, { recursive: true })
    // The mode given to mkdir is cut by the umask.
    await chmod(path, mode)
    if (isOwned && options.isRoot) await chown(path, identity.uid, identity.gid)
  }
}
