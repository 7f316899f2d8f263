import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'replicas'

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
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

describe('a replication controller', () => {
  it('takes selector and labels from its template, keeps its number, and leaves its pods behind when it goes', async () => {
    const { client } = cluster
    const at = { namespace, name: 'elder' }
    const labels = { app: at.name }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'busybox' }] } }
    const made = await client.create(
      kinds.replicationControllers,
      { metadata: at, spec: { replicas: 2, template } },
      { namespace },
    )
    expect(made).toMatchObject({ metadata: { labels }, spec: { selector: labels } })
    await cluster.until(kinds.replicationControllers, at, (now) => now?.status?.replicas === 2)
    await client.patch(
      kinds.replicationControllers,
      at,
      { type: 'merge', patch: { spec: { replicas: 1 } } },
      { subresource: 'scale' },
    )
    await cluster.until(kinds.replicationControllers, at, (now) => now?.status?.replicas === 1)
    const podsOf = async () =>
      (await client.list(kinds.pods, { namespace, labelSelector: 'app=elder' })).items
    const [pod] = await podsOf()
    expect(pod?.metadata.ownerReferences).toMatchObject([
      { apiVersion: 'v1', kind: 'ReplicationController', name: at.name, controller: true },
    ])
    await client.delete(kinds.replicationControllers, at)
    await cluster.until(kinds.replicationControllers, at, (now) => now === undefined)
    const [left] = await podsOf()
    expect(left?.metadata.uid).toBe(pod?.metadata.uid)
    expect(left?.metadata.ownerReferences).toBeUndefined()
  })

  it('is refused without a template, counted by a quota', async () => {
    const { client } = cluster
    const wrong = { metadata: { namespace, name: 'wrong' }, spec: { selector: { app: 'x' } } }
    await expect(client.create(kinds.replicationControllers, wrong, { namespace })).rejects.toThrow(
      'spec.template: Required value',
    )
    const hard = { replicationcontrollers: '0', 'count/replicasets.apps': '0' }
    const at = { namespace: 'no-more', name: 'no-more' }
    await client.create(kinds.namespaces, { metadata: { name: at.namespace } })
    await client.create(kinds.resourceQuotas, { metadata: at, spec: { hard } }, { namespace: at.namespace })
    await cluster.until(kinds.resourceQuotas, at, (now) => now?.status?.used !== undefined)
    const labels = { app: 'x' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'busybox' }] } }
    await expect(
      client.create(
        kinds.replicationControllers,
        { metadata: at, spec: { template } },
        { namespace: at.namespace },
      ),
    ).rejects.toThrow(
      'exceeded quota: no-more, requested: replicationcontrollers=1, used: replicationcontrollers=0',
    )
    await expect(
      client.create(
        type,
        { metadata: at, spec: { selector: { matchLabels: labels }, template } },
        { namespace: at.namespace },
      ),
    ).rejects.toThrow(
      'exceeded quota: no-more, requested: count/replicasets.apps=1, used: count/replicasets.apps=0',
    )
  })
})

describe('the pods of a replica set', () => {
  const labels = { app: 'counted' }
  const at = { namespace, name: 'counted' }
  const podsOf = async () =>
    (await cluster.client.list(kinds.pods, { namespace, labelSelector: 'app=counted' })).items
  const patchPod = (name: string, patch: object, subresource?: string) =>
    cluster.client.patch(
      kinds.pods,
      { namespace, name },
      { type: 'strategic', patch: patch as never },
      subresource ? { subresource } : {},
    )

  it('are ready, then available; the cheapest goes first; one that no longer fits is let go', async () => {
    const { client } = cluster
    const template = { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'busybox' }] } }
    const spec = { replicas: 3, minReadySeconds: 3600, selector: { matchLabels: labels }, template }
    await client.create(type, { metadata: at, spec }, { namespace })
    await cluster.until(type, at, (now) => now?.status?.replicas === 3)
    const names = (await podsOf()).map(({ metadata }) => metadata.name)
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }]
    for (const name of names) await patchPod(name, { status: { phase: 'Running', conditions } }, 'status')
    const ready = await cluster.until(type, at, (now) => now?.status?.readyReplicas === 3)
    expect(ready?.status?.availableReplicas).toBeUndefined()
    await client.patch(type, at, { type: 'merge', patch: { spec: { minReadySeconds: 1 } } })
    await cluster.until(type, at, (now) => now?.status?.availableReplicas === 3)

    const [dear = '', cheap = '', free = ''] = names
    const cost = (value: string) => ({
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': value } },
    })
    await patchPod(dear, cost('100'))
    await patchPod(free, cost('10'))
    await patchPod(cheap, cost('-1'))
    await client.patch(type, at, { type: 'merge', patch: { spec: { replicas: 2 } } })
    await cluster.until(type, at, (now) => now?.status?.replicas === 2)
    expect((await podsOf()).map(({ metadata }) => metadata.name).sort()).toEqual([dear, free].sort())

    await patchPod(free, { metadata: { labels: { app: 'other' } } })
    await cluster.until(
      kinds.pods,
      { namespace, name: free },
      (now) => now?.metadata.ownerReferences === undefined,
    )
    await cluster.until(type, at, (now) => now?.status?.replicas === 2 && now.status.readyReplicas === 1)
    expect(await podsOf()).toHaveLength(2)
  })
})
