import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../src/cluster/index.ts'
import {
  connectionOf,
  createKubeClient,
  type KubeClient,
  kinds,
  openHttpsTransport,
  readKubeconfig,
} from '../../src/kube/index.ts'

const at = { namespace: 'default', name: 'kubernetes' }
let dataDir: string
let cluster: Cluster | undefined

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-own-service-'))
})

afterEach(async () => {
  await cluster?.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function start(): Promise<{ client: KubeClient; port: number }> {
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
  return {
    client: cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] }),
    port: Number(new URL(cluster.url).port),
  }
}

test('a new cluster has the service of its own server, as Kubernetes writes it', async () => {
  const { client, port } = await start()
  const service = await client.get(kinds.services, at)
  expect(service.metadata.labels).toEqual({ component: 'apiserver', provider: 'kubernetes' })
  expect(service.spec).toEqual({
    type: 'ClusterIP',
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
    sessionAffinity: 'None',
    ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
  })
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  const endpoints = await client.get(kinds.endpoints, at)
  expect(endpoints.metadata.labels).toEqual({ 'endpointslice.kubernetes.io/skip-mirror': 'true' })
  expect(endpoints['subsets']).toEqual([{ addresses: [{ ip: '127.0.0.1' }], ports }])
})

test('the slice of the server is its own: no controller made it and none mirrors it', async () => {
  const { client, port } = await start()
  const { items } = await client.list(kinds.endpointSlices, { namespace: 'default' })
  expect(items).toHaveLength(1)
  expect(items[0]).toMatchObject({
    metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  })
  expect(items[0]?.metadata.ownerReferences).toBeUndefined()
})

test('after a start on another port everything leads there', async () => {
  const first = await start()
  await cluster?.close()
  // Held so that the next start gets another one.
  const { createServer } = await import('node:net')
  const holder = createServer().listen(first.port, '127.0.0.1')
  try {
    const { client, port } = await start()
    expect(port).not.toBe(first.port)
    expect((await client.get(kinds.services, at)).spec?.ports?.[0]).toMatchObject({
      port: 443,
      targetPort: port,
    })
    expect((await client.get(kinds.endpoints, at))['subsets']).toMatchObject([{ ports: [{ port }] }])
    expect((await client.get(kinds.endpointSlices, at)).ports).toMatchObject([{ port }])
  } finally {
    holder.close()
  }
})

test('a quota that leaves no room for services keeps no cluster from starting', async () => {
  const { client } = await start()
  await client.delete(kinds.services, at)
  const spec = { hard: { services: '0' } }
  await client.create(kinds.resourceQuotas, { metadata: { name: 'none' }, spec }, { namespace: 'default' })
  await cluster?.close()
  const { client: again } = await start()
  await expect(again.get(kinds.services, at)).rejects.toMatchObject({ reason: 'NotFound' })
})

test('who verifies tokens finds the keys where the server is, and may keep them', async () => {
  await start()
  if (cluster === undefined) throw new Error('no cluster')
  // Over the wire: there every other answer may not be kept.
  const environment = { KUBECONFIG: cluster.adminKubeconfig }
  const http = await openHttpsTransport(
    await connectionOf(await readKubeconfig({ environment }), { environment }),
  )
  try {
    const found = await createKubeClient(http.transport).raw({
      method: 'GET',
      path: '/.well-known/openid-configuration',
      headers: {},
    })
    let text = ''
    for await (const part of found.body) text += Buffer.from(part).toString('utf8')
    expect(JSON.parse(text)).toMatchObject({ jwks_uri: `${cluster.url}/openid/v1/jwks` })
    expect(found.headers['cache-control']).toBe('public, max-age=3600')
  } finally {
    http.close()
  }
})
