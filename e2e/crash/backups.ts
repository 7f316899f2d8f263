import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { backupCluster } from '../../src/cluster/index.ts'
import type { KubeObject } from '../../src/kube/index.ts'
import type { Ledger } from './ledger.ts'
import { labels, loadedKinds } from './load.ts'

/** A backup that was made while the cluster served. */
export interface Backup {
  /** The moment it holds. */
  readonly revision: number
  /** Versions of the objects of the load by kind and name. */
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** Makes one backup after the other until told to stop. */
export async function makeBackups(dataDir: string, file: string, signal: AbortSignal): Promise<Backup[]> {
  const made: Backup[] = []
  while (!signal.aborted) {
    const { revision } = await backupCluster(dataDir, file)
    made.push({ revision, objects: await contentOf(file) })
  }
  return made
}

async function contentOf(file: string): Promise<Backup['objects']> {
  const objects = new Map(loadedKinds.map(({ type }) => [type.plural, new Map<string, number>()]))
  const lines = gunzipSync(await readFile(file))
    .toString('utf8')
    .trim()
    .split('\n')
    .slice(1, -1)
  for (const line of lines) {
    const { key, revision, json } = JSON.parse(line) as { key: string; revision: number; json: string }
    const { metadata } = JSON.parse(json) as KubeObject
    const [, plural = ''] = key.split('/')
    if (metadata.labels?.['crash'] === labels.crash) objects.get(plural)?.set(metadata.name ?? '', revision)
  }
  return objects
}

/** What a backup holds otherwise than all watches together tell of its moment. */
export function faultsOf(backup: Backup, ledger: Ledger): string[] {
  const faults: string[] = []
  for (const [kind, objects] of backup.objects) {
    const expected = ledger.stateAt(kind, backup.revision)
    for (const name of new Set([...objects.keys(), ...expected.keys()]))
      if (objects.get(name) !== expected.get(name))
        faults.push(
          `the backup of ${backup.revision} has ${kind}/${name} as of ${objects.get(name)}, not ${expected.get(name)}`,
        )
  }
  return faults
}
