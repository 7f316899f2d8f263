import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { VolumeError } from './contents.ts'

export interface NetworkDirectoryOptions {
  readonly dataDirectory: string
  /** Directories of this machine that stand for exports, by `server:/path`. */
  readonly nfsDirectories: Readonly<Record<string, string>>
  /** Can files be given to others? */
  readonly isRoot: boolean
}

/** A directory of this machine in place of an NFS export, and what to tell the user about it. */
export interface NetworkDirectory {
  readonly path: string
  readonly notice: string
}

/**
 * The directory that stands for an NFS export: the one that the cluster file names for it, or else one of the
 * cluster's own, made at first use. It can be reached through claims alone, since its parents are closed; so who may
 * claim it decides who may use it.
 */
export async function networkDirectory(
  server: string,
  exported: string,
  group: number | undefined,
  options: NetworkDirectoryOptions,
): Promise<NetworkDirectory> {
  if (!/^[A-Za-z0-9][-A-Za-z0-9.:]*$/.test(server)) throw new VolumeError(`"${server}" is no NFS server name`)
  const parts = exported.split('/').filter((part) => part !== '')
  if (!exported.startsWith('/') || parts.includes('..')) throw new VolumeError(`"${exported}" is no NFS path`)
  const mapped = mappedDirectory(server, parts, options.nfsDirectories)
  if (mapped !== undefined) {
    const status = await stat(mapped).catch(() => undefined)
    if (status?.isDirectory() !== true) {
      throw new VolumeError(`${server}:${exported} is to be served from ${mapped}, which is no directory`)
    }
    return {
      path: mapped,
      notice: `${server}:${exported} is served from a directory of this machine, as the cluster file says`,
    }
  }
  const closed = join(options.dataDirectory, 'nfs')
  await mkdir(closed, { recursive: true, mode: 0o700 })
  const path = join(closed, server, ...parts)
  await mkdir(path, { recursive: true })
  await admit(path, group, options.isRoot)
  return {
    path,
    notice: `the NFS server "${server}" is not asked: the embedded cluster keeps ${server}:${exported} in its own data directory`,
  }
}

function mappedDirectory(
  server: string,
  parts: readonly string[],
  directories: Readonly<Record<string, string>>,
): string | undefined {
  for (let length = parts.length; length >= 0; length -= 1) {
    const key = `${server}:/${parts.slice(0, length).join('/')}`
    const directory = Object.hasOwn(directories, key) ? directories[key] : undefined
    if (directory !== undefined) return join(directory, ...parts.slice(length))
  }
  return undefined
}

/** Opens a fresh directory to a group, and to nobody else. */
export async function admit(path: string, group: number | undefined, isRoot: boolean): Promise<void> {
  const status = await stat(path)
  const isNew = (status.mode & 0o2000) === 0
  if (isNew) {
    if (isRoot && group !== undefined) await chown(path, 0, group)
    await chmod(path, group === undefined || !isRoot ? 0o2777 : 0o2770)
  } else if (status.gid !== group && (status.mode & 0o007) === 0) {
    // A second group has a claim on the same data: the claim is the permission, there is no other way to get here.
    await chmod(path, 0o2777)
  }
}
