import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'

let cluster: Cluster
let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-discovery-'))
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

async function get(path: string, headers: Record<string, string>): Promise<Answer> {
  const client = cluster.clientAs({ name: 'admin', groups: ['system:masters'] })
  const response = await client.raw({ method: 'GET', path, headers })
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  return { status: response.status, headers: response.headers, text: Buffer.concat(parts).toString('utf8') }
}

const inOne = (version: string): string =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`

test.each([
  ['/api', 'v2'],
  ['/apis', 'v2'],
  ['/apis', 'v2beta1'],
])('%s in one document (%s) is sent to no client that has it', async (path, version) => {
  const first = await get(path, { accept: inOne(version) })
  expect(first).toMatchObject({
    status: 200,
    headers: {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      etag: expect.stringMatching(/^"[0-9A-F]{128}"$/) as string,
      vary: 'Accept',
      'cache-control': 'public',
    },
  })
  const etag = String(first.headers['etag'])
  expect(await get(path, { accept: inOne(version), 'if-none-match': etag })).toMatchObject({
    status: 304,
    headers: { etag },
    text: '',
  })
  expect(await get(path, { accept: inOne(version), 'if-none-match': '"OTHER"' })).toMatchObject({
    status: 200,
  })
})

test('a list of groups alone has no such mark', async () => {
  const list = await get('/apis', { accept: 'application/json' })
  expect(list.headers['etag']).toBeUndefined()
  expect(JSON.parse(list.text)).toMatchObject({ kind: 'APIGroupList' })
})
