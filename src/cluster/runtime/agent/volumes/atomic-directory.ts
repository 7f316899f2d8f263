import { randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** One file of a volume made from API objects. `path` is relative, without `..`. */
export interface VolumeFile {
  readonly path: string
  readonly content: Buffer
  readonly mode: number
}

export interface Ownership {
  readonly uid?: number
  readonly gid?: number
}

/**
 * Makes a directory show exactly these files, exchanged all at once: readers see the old set or the new one, never a
 * mixture. The layout is the kubelet's: `..data` points to a directory of the present set, and every first name of
 * the volume points into `..data`.
 */
export async function writeAtomically(
  directory: string,
  files: readonly VolumeFile[],
  owner: Ownership,
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const data = join(directory, '..data')
  const old = await readlink(data).catch(() => undefined)
  if (old !== undefined && (await isSame(join(directory, old), files))) return
  const name = `..${new Date().toISOString().replaceAll(/[-:T]/g, '_').slice(0, 19)}.${randomBytes(5).toString('hex')}`
  const fresh = join(directory, name)
  await mkdir(fresh, { mode: 0o755 })
  for (const file of files) {
    const path = join(fresh, file.path)
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    await writeFile(path, file.content)
    await chmod(path, file.mode)
    if (owner.uid !== undefined || owner.gid !== undefined) await chown(path, owner.uid ?? 0, owner.gid ?? 0)
  }
  await symlink(name, `${data}_new`)
  await rename(`${data}_new`, data)
  await updateLinks(directory, new Set(files.map(({ path }) => path.split('/')[0] ?? '')))
  if (old !== undefined) await rm(join(directory, old), { recursive: true, force: true })
}

async function updateLinks(directory: string, names: ReadonlySet<string>): Promise<void> {
  const present = await readdir(directory)
  for (const name of present) {
    if (!name.startsWith('..') && !names.has(name)) await rm(join(directory, name), { force: true })
  }
  for (const name of names) {
    if (!present.includes(name)) await symlink(join('..data', name), join(directory, name))
  }
}

async function isSame(directory: string, files: readonly VolumeFile[]): Promise<boolean> {
  const present = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  if (present.filter((entry) => entry.isFile()).length !== files.length) return false
  for (const file of files) {
    const content = await readFile(join(directory, file.path)).catch(() => undefined)
    if (content === undefined || !content.equals(file.content)) return false
  }
  return true
}
