import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'replicas'

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.client.create(kinds.namespaces, { metadata: { name: namespace } })
  await cluster.until(
    kinds.serviceAccounts,
    { namespace, name: 'default' },
    (account) => account !== undefined,
  )
})
afterAll(() => cluster.close())

const type = kinds.replicaSets

describe('a replica set', () => {
  const labels = { app: 'web' }
  const at = { namespace, name: 'web' }
  const podsOf = async () =>
    (await cluster.client.list(kinds.pods, { namespace, labelSelector: `app=${labels.app}` })).items.filter(
      ({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'ReplicaSet',
    )

  it('adopts what fits, makes what is missing, follows its scale, and says what a quota refuses', async () => {
    const { client } = cluster
    const spec = { containers: [{ name: 'm', image: 'busybox' }] }
    await client.create(
      kinds.pods,
      { metadata: { name: `${at.name}-orphan`, namespace, labels }, spec },
      { namespace },
    )
    const template = { metadata: { labels }, spec }
    await client.create(
      type,
      { metadata: at, spec: { replicas: 3, selector: { matchLabels: labels }, template } },
      { namespace },
    )
    const full = await cluster.until(type, at, (object) => object?.status?.replicas === 3)
    expect(full?.status).toMatchObject({ fullyLabeledReplicas: 3, observedGeneration: 1 })
    const names = (await podsOf()).map(({ metadata }) => metadata.name)
    expect(names).toHaveLength(3)
    expect(names).toContain(`${at.name}-orphan`)

    await client.patch(
      type,
      at,
      { type: 'merge', patch: { spec: { replicas: 1 } } },
      { subresource: 'scale' },
    )
    await cluster.until(type, at, (object) => object?.status?.replicas === 1)
    expect(await podsOf()).toHaveLength(1)

    const quota = { metadata: { name: at.name, namespace }, spec: { hard: { pods: '0' } } }
    await client.create(kinds.resourceQuotas, quota, { namespace })
    await cluster.until(kinds.resourceQuotas, at, (object) => object?.status?.used !== undefined)
    await client.patch(type, at, { type: 'merge', patch: { spec: { replicas: 2 } } })
    const refused = await cluster.until(type, at, (object) => object?.status?.conditions !== undefined)
    expect(refused?.status?.conditions).toMatchObject([
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' },
    ])
    await client.delete(kinds.resourceQuotas, at)
    const content = await cluster.until(
      type,
      at,
      ({ status } = { metadata: {} } as never) => status?.replicas === 2 && status.conditions === undefined,
    )
    expect(content?.status?.observedGeneration).toBe(3)

    await client.delete(type, at, { propagationPolicy: 'Foreground' })
    await cluster.until(type, at, (object) => object === undefined)
    expect(await podsOf()).toHaveLength(0)
  })
})
