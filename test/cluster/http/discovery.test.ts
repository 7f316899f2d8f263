import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type BareCluster, openBareCluster } from './bare-cluster.ts'

let cluster: BareCluster

beforeAll(async () => {
  cluster = await openBareCluster()
}, 60_000)

afterAll(() => cluster.close())

const get = (path: string, headers: Record<string, string>): Promise<Answer> =>
  cluster.send('GET', path, { headers })

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
