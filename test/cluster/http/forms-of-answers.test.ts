import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'

let cluster: Cluster
let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-forms-'))
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function get(
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; type: string | undefined; text: string }> {
  const response = await cluster
    .clientAs({ name: 'admin', groups: ['system:masters'] })
    .raw({ method: 'GET', path, headers })
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  return { status: response.status, type: response.headers['content-type'], text }
}

const one = '/api/v1/namespaces/default'

test.each([
  ['application/json;q=0.5,application/yaml', 'application/yaml'],
  ['application/yaml;q=0.5, */*;q=0.1', 'application/yaml'],
  ['*/*,application/yaml', 'application/yaml'],
  ['application/json,application/yaml', 'application/json'],
  ['text/html, application/*', 'application/json'],
])('answers what accepts %s as %s', async (accept, type) => {
  expect(await get(one, { accept })).toMatchObject({ status: 200, type })
})

test('serves discovery in the forms that it has, and refuses others', async () => {
  expect(await get('/apis', { accept: 'application/yaml' })).toMatchObject({
    status: 200,
    type: 'application/yaml',
    text: expect.stringContaining('kind: APIGroupList'),
  })
  const newer = 'application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList'
  expect(await get('/apis', { accept: newer })).toMatchObject({ status: 406 })
  expect(await get('/apis', { accept: `${newer},application/json` })).toMatchObject({ status: 200 })
  expect(await get('/api/v1', { accept: 'text/html' })).toMatchObject({ status: 406 })
})

test('shows no table of what is not stored', async () => {
  const client = cluster.clientAs({ name: 'admin', groups: ['system:masters'] })
  const ask = (accept: string) =>
    client.raw({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      headers: { accept, 'content-type': 'application/json' },
      body: '{"spec":{"resourceAttributes":{"verb":"list","resource":"pods"}}}',
    })
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  expect(await ask(table)).toMatchObject({ status: 406 })
  expect(await ask(`${table},application/json`)).toMatchObject({ status: 201 })
})

test('streams no YAML', async () => {
  const { status, text } = await get('/api/v1/namespaces?watch=1', { accept: 'application/yaml' })
  expect(status).toBe(406)
  expect(JSON.parse(text)).toMatchObject({
    reason: 'NotAcceptable',
    message: 'only the following media types are accepted: application/json;stream=watch',
  })
})

test.each([
  ['?pretty=true', 'arena', true],
  ['?pretty=false', 'curl/8.0', false],
  ['', 'curl/8.0', true],
  ['', 'kubectl/v1.32.0', false],
])('breaks lines for people: %s %s', async (query, program, hasBreaks) => {
  const { text } = await get(`${one}${query}`, { 'user-agent': program })
  expect(text.startsWith('{\n  "kind": "Namespace",\n')).toBe(hasBreaks)
  const absent = await get(`/api/v1/namespaces/absent${query}`, { 'user-agent': program })
  expect(absent.text.includes('\n')).toBe(hasBreaks)
})

test('names the audit record of a write in its answer', async () => {
  const maps = '/api/v1/namespaces/default/configmaps'
  const client = cluster.clientAs({ name: 'admin', groups: ['system:masters'] })
  const audited = async (method: string, path: string, body?: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await client.raw({ method, path, headers, ...(body && { body }) })
    for await (const _ of answer.body);
    return answer.headers['audit-id']
  }
  const id = await audited('POST', maps, JSON.stringify({ metadata: { name: 'recorded' } }))
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
  const log = (): Promise<string> => readFile(join(dataDir, 'audit.log'), 'utf8')
  await expect.poll(log).toContain(`"auditID":"${String(id)}"`)
  expect(await audited('DELETE', `${maps}/absent`)).toMatch(/^[0-9a-f-]{36}$/)
  expect(await audited('GET', maps)).toBeUndefined()
})
