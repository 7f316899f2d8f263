import { lstat, mkdir, open, realpath, stat } from 'node:fs/promises'
import { VolumeError } from './contents.ts'

/**
 * Checks a path of this machine as the volume's `type` asks, making it for the `OrCreate` types. Gives the path
 * behind all links.
 *
 * @param closed a directory in which no such path may lie: the cluster's own data
 */
export async function hostPathSource(
  path: string,
  type: string | undefined,
  closed: string | undefined,
): Promise<string> {
  if (!path.startsWith('/') || path.split('/').includes('..')) {
    throw new VolumeError(`host path "${path}" must be absolute and without ".."`)
  }
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
  if (type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close()
  const wanted = checks[type ?? '']
  let real: string
  try {
    real = await realpath(path)
  } catch (cause) {
    const why = wanted === undefined ? 'does not exist' : `is not a ${wanted.name}`
    throw new VolumeError(`hostPath type check failed: ${path} ${why}`, { cause })
  }
  if (closed !== undefined && isWithin(real, await realpath(closed).catch(() => closed))) {
    throw new VolumeError(`host path "${path}" lies in the cluster's own data`)
  }
  const status = await stat(real)
  if (wanted !== undefined && !wanted.test(status)) {
    throw new VolumeError(`hostPath type check failed: ${path} is not a ${wanted.name}`)
  }
  return real
}

type Status = Awaited<ReturnType<typeof lstat>>

const checks: Readonly<Record<string, { readonly name: string; test(status: Status): boolean }>> = {
  Directory: { name: 'directory', test: (status) => status.isDirectory() },
  DirectoryOrCreate: { name: 'directory', test: (status) => status.isDirectory() },
  File: { name: 'file', test: (status) => status.isFile() },
  FileOrCreate: { name: 'file', test: (status) => status.isFile() },
  Socket: { name: 'socket file', test: (status) => status.isSocket() },
  CharDevice: { name: 'character device', test: (status) => status.isCharacterDevice() },
  BlockDevice: { name: 'block device', test: (status) => status.isBlockDevice() },
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
