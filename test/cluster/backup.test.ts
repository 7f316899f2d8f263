import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
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
let directory: string
const start = (name: string): Promise<Cluster> =>
  startCluster({
    dataDir: join(directory, name),
    config: { ...usualConfig, nodes: [] },
    log: () => undefined,
  })
const adminOf = (cluster: Cluster): KubeClient =>
  cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
const numbersIn = async (client: KubeClient): Promise<number[]> =>
  (await client.list(kinds.configMaps, { namespace, labelSelector: 'n' })).items
    .map(({ metadata }) => Number(metadata.name.slice(1)))
    .sort((one, other) => one - other)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-backup-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('a backup', () => {
  it('made while the cluster writes holds one moment, and brings back objects, keys and tokens', async () => {
    const cluster = await start('first')
    const admin = adminOf(cluster)
    const writing = new AbortController()
    const written = (async () => {
      let count = 0
      for (; !writing.signal.aborted; count++)
        await admin.create(
          kinds.configMaps,
          { metadata: { name: `n${count}`, labels: { n: '' } } },
          { namespace },
        )
      return count
    })()
    const files = ['one', 'two', 'three'].map((name) => join(directory, name))
    for (const file of files) await backupCluster(join(directory, 'first'), file)
    writing.abort()
    const count = await written
    await cluster.close()
    const file = files[2] ?? ''
    expect((await stat(file)).mode & 0o777).toBe(0o600)

    const summary = await restoreCluster(join(directory, 'second'), file)
    const restored = await start('second')
    const numbers = await numbersIn(adminOf(restored))
    // One after the other was written: any moment holds all up to some number.
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index))
    expect(numbers.length).toBeLessThanOrEqual(count)
    const { metadata } = await adminOf(restored).list(kinds.configMaps, { namespace })
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(summary.revision + 999_999)
    await restored.close()
    const keys = ['ca.key', 'sa.key']
    for (const key of keys)
      expect(await readFile(join(directory, 'second/pki', key), 'utf8')).toBe(
        await readFile(join(directory, 'first/pki', key), 'utf8'),
      )
  })

  it('that is not whole changes nothing', async () => {
    const cut = join(directory, 'cut')
    await writeFile(cut, await readFile(join(directory, 'one')))
    await truncate(cut, 1000)
    await writeFile(join(directory, 'other'), 'something else')
    for (const file of [cut, join(directory, 'other')])
      await expect(restoreCluster(join(directory, 'first'), file)).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
      })
    const cluster = await start('first')
    expect((await numbersIn(adminOf(cluster))).length).toBeGreaterThan(0)
    await cluster.close()
  })

  it('of a directory without a cluster is refused', async () => {
    await expect(backupCluster(directory, join(directory, 'none'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})
