import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EndpointSlice, type Persisted, kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster

beforeAll(async () => {
  cluster = await runCluster()
})
afterAll(() => cluster.close())

const namespace = 'default'
const mirrored = 'endpointslice.kubernetes.io/managed-by=endpointslicemirroring-controller.k8s.io'

async function slices(name: string, wanted: (all: Persisted<EndpointSlice>[]) => boolean) {
  const where = { namespace, labelSelector: `kubernetes.io/service-name=${name},${mirrored}` }
  const list = await cluster.client.list(kinds.endpointSlices, where)
  const all = new Map(list.items.map((slice) => [slice.metadata.name, slice]))
  if (wanted([...all.values()])) return [...all.values()]
  const resourceVersion = list.metadata.resourceVersion ?? '0'
  const signal = AbortSignal.timeout(15_000)
  for await (const event of cluster.client.watch(kinds.endpointSlices, {
    ...where,
    resourceVersion,
    signal,
  })) {
    if (event.type === 'BOOKMARK') continue
    if (event.type === 'DELETED') all.delete(event.object.metadata.name)
    else all.set(event.object.metadata.name, event.object)
    if (wanted([...all.values()])) return [...all.values()]
  }
  throw new Error(`the slices of ${name} never became what was wanted`)
}

describe('endpoints of a service without a selector', () => {
  it('are mirrored into a slice when made, changed and deleted', async () => {
    const { client } = cluster
    const at = { namespace, name: 'by-hand' }
    await client.create(kinds.services, { metadata: at, spec: { ports: [{ port: 80 }] } }, { namespace })
    const ports = [{ name: 'web', port: 80 }]
    const made = await client.create(
      kinds.endpoints,
      { metadata: { ...at, labels: { team: 'red' } }, subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports }] },
      { namespace },
    )
    const [first] = await slices(at.name, (all) => all.length === 1)
    expect(first).toMatchObject({
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }],
      ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
    })
    expect(first?.metadata.labels?.team).toBe('red')
    expect(first?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Endpoints', uid: made.metadata.uid })

    await client.replace(kinds.endpoints, at, {
      ...made,
      subsets: [{ addresses: [{ ip: '10.2.3.4' }], ports }],
    })
    const [second] = await slices(at.name, ([one]) => one?.endpoints[0]?.addresses[0] === '10.2.3.4')
    expect(second?.metadata.name).toBe(first?.metadata.name)

    await client.delete(kinds.endpoints, at)
    await slices(at.name, (all) => all.length === 0)
  })

  it('are mirrored no more once they say so', async () => {
    const { client } = cluster
    const at = { namespace, name: 'quiet' }
    await client.create(kinds.services, { metadata: at, spec: { ports: [{ port: 80 }] } }, { namespace })
    const subsets = [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }]
    const made = await client.create(kinds.endpoints, { metadata: at, subsets }, { namespace })
    await slices(at.name, (all) => all.length === 1)
    const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
    await client.replace(kinds.endpoints, at, { ...made, metadata: { ...made.metadata, labels } })
    await slices(at.name, (all) => all.length === 0)
  })
})
