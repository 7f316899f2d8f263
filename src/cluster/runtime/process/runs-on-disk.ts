import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode } from '../../../files.ts'
import { containerDirectory, logFile, podDirectory, podsDirectory, runDirectory } from '../pod-directory.ts'
import type { ContainerKey } from '../runtime.ts'

/** Every run of any pod that has left a directory. */
export async function allRuns(dataDirectory: string): Promise<ContainerKey[]> {
  const keys: ContainerKey[] = []
  for (const podUid of await namesIn(podsDirectory(dataDirectory))) {
    keys.push(...(await runsOf(dataDirectory, podUid)))
  }
  return keys
}

/** Every run of a pod that has left a directory. */
export async function runsOf(dataDirectory: string, podUid: string): Promise<ContainerKey[]> {
  const keys: ContainerKey[] = []
  for (const container of await namesIn(join(podDirectory(dataDirectory, podUid), 'containers'))) {
    for (const name of await namesIn(containerDirectory(dataDirectory, podUid, container))) {
      if (/^\d+$/.test(name)) keys.push({ podUid, container, attempt: Number(name) })
    }
  }
  return keys
}

/** Removes a run's directory and its logs. */
export async function removeRun(dataDirectory: string, key: ContainerKey): Promise<void> {
  await rm(runDirectory(dataDirectory, key), { recursive: true, force: true })
  const logs = dirname(logFile(dataDirectory, key))
  const log = `${key.attempt}.log`
  for (const name of await namesIn(logs)) {
    if (name === log || name.startsWith(`${log}.`)) await rm(join(logs, name), { force: true })
  }
}

/** Removes all that is left of a pod. */
export async function removePod(dataDirectory: string, podUid: string): Promise<void> {
  await rm(podDirectory(dataDirectory, podUid), { recursive: true, force: true, maxRetries: 3 })
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
