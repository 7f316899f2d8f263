import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type BareCluster, openBareCluster } from './bare-cluster.ts'

let cluster: BareCluster

beforeAll(async () => {
  cluster = await openBareCluster()
}, 60_000)

afterAll(() => cluster.close())

async function send(method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}
  return cluster.send(method, path, { body, headers })
}

async function verbsOf(path: string, name: string): Promise<unknown> {
  const { body } = await send('GET', path)
  return (body['resources'] as { name: string; verbs: string[] }[]).find((one) => one.name === name)?.verbs
}

test('namespaces are deleted one by one, never all in one request', async () => {
  expect(await verbsOf('/api/v1', 'namespaces')).toEqual([
    'create',
    'delete',
    'get',
    'list',
    'patch',
    'update',
    'watch',
  ])
  const refused = await send('DELETE', '/api/v1/namespaces')
  expect(refused).toMatchObject({ status: 405, body: { reason: 'MethodNotAllowed' } })
  expect((await send('GET', '/api/v1/namespaces/kube-node-lease')).body).toMatchObject({
    status: { phase: 'Active' },
  })
})

test('discovery shows of a subresource what it answers', async () => {
  expect(await verbsOf('/api/v1', 'namespaces/finalize')).toEqual(['update'])
  const patched = await send('PATCH', '/api/v1/namespaces/default/finalize', { spec: { finalizers: [] } })
  expect(patched.status).toBe(405)
})

test('answers about Endpoints warn of their successor', async () => {
  const text = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
  const path = '/api/v1/namespaces/default/endpoints'
  expect(String((await send('GET', path)).headers['warning'])).toBe(text)
  expect(String((await send('GET', `${path}/kubernetes`)).headers['warning'])).toBe(text)
  expect((await send('GET', '/api/v1/services')).headers['warning']).toBeUndefined()
})
