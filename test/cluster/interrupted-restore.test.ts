import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  backupCluster,
  type Cluster,
  restoreCluster,
  startCluster,
  usualConfig,
} from '../../src/cluster/index.ts'
import { type KubeClient, kinds } from '../../src/kube/index.ts'

const namespace = 'default'
const command = join(import.meta.dirname, '../../dist/arena.js')
let directory: string
/** Files of clusters called so: a backup that holds a config map of that name, and the key of that cluster. */
const keys = new Map<string, string>()

const start = (dataDir: string): Promise<Cluster> =>
  startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
const adminOf = (cluster: Cluster): KubeClient =>
  cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
const backupOf = (name: string): string => join(directory, `${name}.arena`)

/** A directory in which the cluster of that name has run. */
async function directoryOf(name: string): Promise<string> {
  const dataDir = await mkdtemp(join(directory, 'tried-'))
  await cp(join(directory, name), dataDir, { recursive: true })
  return dataDir
}

/** Which cluster is in a directory: its objects and its keys must both say so. */
async function clusterIn(dataDir: string): Promise<string> {
  const cluster = await start(dataDir)
  const { items } = await adminOf(cluster).list(kinds.configMaps, { namespace, labelSelector: 'which' })
  await cluster.close()
  const key = await readFile(join(dataDir, 'pki/sa.key'), 'utf8')
  const objects = items.map(({ metadata }) => metadata.name).join()
  return `${objects} with the keys of ${keys.get(key)}`
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-interrupted-'))
  for (const name of ['old', 'new', 'newer']) {
    const dataDir = join(directory, name)
    const cluster = await start(dataDir)
    await adminOf(cluster).create(
      kinds.configMaps,
      { metadata: { name, labels: { which: '' } }, data: { pad: 'x'.repeat(500_000) } },
      { namespace },
    )
    await cluster.close()
    keys.set(await readFile(join(dataDir, 'pki/sa.key'), 'utf8'), name)
    await backupCluster(dataDir, backupOf(name))
  }
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const oldOne = 'old with the keys of old'
const newOne = 'new with the keys of new'
const newerOne = 'newer with the keys of newer'

/** What a restore has prepared, as it is when it counts and nothing has been moved yet. */
async function prepared(dataDir: string, name: string): Promise<string> {
  const restored = join(dataDir, 'restored')
  await mkdir(restored)
  for (const part of ['store', 'pki'])
    await cp(join(directory, name, part), join(restored, part), { recursive: true })
  return restored
}

describe('a restore that is killed', () => {
  it('leaves the old cluster or the new one, wherever it is killed, and a rerun works', async () => {
    const seen = new Set<string>()
    // The eight times that the names in the directory change, from the first part to the last.
    for (let steps = 1; steps <= 8; steps++) {
      const dataDir = await directoryOf('old')
      const words = ['cluster', 'restore', backupOf('new'), '--yes', '--data-dir', dataDir]
      const watcher = watch(dataDir)
      const child = spawn(process.execPath, [command, ...words], { stdio: 'ignore' })
      let changes = 0
      watcher.on('change', () => {
        if (++changes === steps) child.kill('SIGKILL')
      })
      await once(child, 'exit')
      watcher.close()
      const found = await clusterIn(dataDir)
      expect([oldOne, newOne]).toContain(found)
      seen.add(found)
      await restoreCluster(dataDir, backupOf('new'))
      expect(await clusterIn(dataDir)).toBe(newOne)
      expect((await readdir(dataDir)).filter((name) => name.startsWith('resto'))).toEqual([])
      await rm(dataDir, { recursive: true })
    }
    expect([...seen]).toContain(oldOne)
  }, 60_000)

  it('is finished by the next start, from whichever step it had reached', async () => {
    const steps: ((dataDir: string, restored: string) => Promise<void>)[] = [
      () => Promise.resolve(),
      (dataDir) => rm(join(dataDir, 'store/data.mdb')),
      (dataDir) => rm(join(dataDir, 'store'), { recursive: true }),
      async (dataDir, restored) => {
        await rm(join(dataDir, 'store'), { recursive: true })
        await rename(join(restored, 'store'), join(dataDir, 'store'))
      },
    ]
    for (const step of steps) {
      const dataDir = await directoryOf('old')
      await step(dataDir, await prepared(dataDir, 'new'))
      expect(await clusterIn(dataDir)).toBe(newOne)
    }
  })

  it('is finished before another one begins, so that no two of them mix', async () => {
    const dataDir = await directoryOf('old')
    const restored = await prepared(dataDir, 'new')
    await rm(join(dataDir, 'store'), { recursive: true })
    await rename(join(restored, 'store'), join(dataDir, 'store'))
    // This one fails: what it finds must be whole nevertheless.
    await expect(restoreCluster(dataDir, command)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    expect(await readdir(dataDir)).not.toContain('restored')
    expect(await clusterIn(dataDir)).toBe(newOne)
    await restoreCluster(dataDir, backupOf('newer'))
    expect(await clusterIn(dataDir)).toBe(newerOne)
  })

  it('is finished before a backup is made of what it left', async () => {
    const dataDir = await directoryOf('old')
    const restored = await prepared(dataDir, 'new')
    await rm(join(dataDir, 'store'), { recursive: true })
    await rename(join(restored, 'store'), join(dataDir, 'store'))
    const file = join(directory, 'again.arena')
    await backupCluster(dataDir, file)
    const other = await mkdtemp(join(directory, 'other-'))
    await restoreCluster(other, file)
    expect(await clusterIn(other)).toBe(newOne)
  })
})
