import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from '../controllers/running-cluster.ts'

let cluster: RunningCluster
const namespace = 'sched'
const at = (name: string) => ({ namespace, name })

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
})
afterAll(() => cluster.close())

async function node(name: string, resources: Record<string, string> = {}): Promise<void> {
  const capacity = { cpu: '4', memory: '8Gi', pods: '10', ...resources }
  const conditions = [{ type: 'Ready', status: 'True' }]
  await cluster.client.create(kinds.nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name } } })
  await cluster.client.patch(
    kinds.nodes,
    { name },
    { type: 'strategic', patch: { status: { capacity, allocatable: capacity, conditions } } },
    { subresource: 'status' },
  )
  await cluster.until(kinds.nodes, { name }, (now) => (now?.spec?.taints ?? []).length === 0)
}

async function pod(
  name: string,
  on: string,
  requests: Record<string, string>,
  spec: object = {},
): Promise<void> {
  const containers = [{ name: 'c', image: 'busybox', resources: { requests, limits: requests } }]
  await cluster.client.create(
    kinds.pods,
    { metadata: at(name), spec: { nodeSelector: { 'kubernetes.io/hostname': on }, containers, ...spec } },
    { namespace },
  )
}

const placed = (name: string) => cluster.until(kinds.pods, at(name), (now) => Boolean(now?.spec?.nodeName))
const refused = (name: string) =>
  cluster.until(kinds.pods, at(name), (now) =>
    (now?.status?.conditions ?? []).some(({ type, status }) => type === 'PodScheduled' && status === 'False'),
  )

describe('the scheduler', () => {
  it('places a pod, says why another has to wait, and places it when room comes free', async () => {
    await node('gpu', { 'nvidia.com/gpu': '1' })
    await pod('first', 'gpu', { 'nvidia.com/gpu': '1' })
    expect((await placed('first'))?.spec?.nodeName).toBe('gpu')
    await pod('second', 'gpu', { 'nvidia.com/gpu': '1' })
    const waiting = await refused('second')
    expect(waiting?.status?.conditions?.[0]?.message).toContain('1 Insufficient nvidia.com/gpu')
    await cluster.client.delete(kinds.pods, at('first'), { gracePeriodSeconds: 0 })
    expect((await placed('second'))?.spec?.nodeName).toBe('gpu')
  })

  it('places a waiting pod when a node that suits it comes', async () => {
    await pod('early', 'late-node', { cpu: '1' })
    await refused('early')
    await node('late-node')
    expect((await placed('early'))?.spec?.nodeName).toBe('late-node')
  })

  it('never gives the same room to two pods', async () => {
    await node('narrow', { cpu: '3' })
    await Promise.all(Array.from({ length: 6 }, (_, i) => pod(`rush-${i}`, 'narrow', { cpu: '1' })))
    const states = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        cluster.until(kinds.pods, at(`rush-${i}`), (now) =>
          (now?.status?.conditions ?? []).some(({ type }) => type === 'PodScheduled'),
        ),
      ),
    )
    expect(states.filter((now) => now?.spec?.nodeName).length).toBe(3)
  })

  it('asks less important pods to leave, and keeps their room for the one it asked for', async () => {
    await node('contested')
    for (const [name, value] of [
      ['low', 1],
      ['high', 1000],
    ] as const) {
      await cluster.client.create(kinds.priorityClasses, { metadata: { name }, value })
    }
    await pod('victim', 'contested', { cpu: '4' }, { priorityClassName: 'low' })
    await placed('victim')
    await pod('important', 'contested', { cpu: '4' }, { priorityClassName: 'high' })
    await cluster.until(kinds.pods, at('victim'), (now) => now?.metadata.deletionTimestamp !== undefined)
    const victim = await cluster.client.get(kinds.pods, at('victim'))
    expect(victim.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', reason: 'PreemptionByScheduler' }),
    )
    const nominated = await cluster.client.get(kinds.pods, at('important'))
    expect(nominated.status?.nominatedNodeName).toBe('contested')
    await pod('thief', 'contested', { cpu: '4' }, { priorityClassName: 'low' })
    await refused('thief')
    await cluster.client.delete(kinds.pods, at('victim'), { gracePeriodSeconds: 0 })
    const settled = await placed('important')
    expect(settled?.spec?.nodeName).toBe('contested')
    expect(settled?.status?.nominatedNodeName).toBeUndefined()
    expect(settled?.metadata.generation).toBe(1)
  })

  it('makes room for each of several important pods that come at once', async () => {
    await node('crowded', { cpu: '6' })
    for (let i = 0; i < 6; i += 1)
      await pod(`crowd-${i}`, 'crowded', { cpu: '1' }, { priorityClassName: 'low' })
    for (let i = 0; i < 6; i += 1) await placed(`crowd-${i}`)
    await Promise.all(
      [0, 1].map((i) => pod(`chief-${i}`, 'crowded', { cpu: '3' }, { priorityClassName: 'high' })),
    )
    for (let i = 0; i < 6; i += 1) {
      const leaves = (now: { metadata: { deletionTimestamp?: unknown } } | undefined): boolean =>
        now?.metadata.deletionTimestamp !== undefined
      await cluster.until(kinds.pods, at(`crowd-${i}`), leaves)
      await cluster.client.delete(kinds.pods, at(`crowd-${i}`), { gracePeriodSeconds: 0 })
    }
    for (const i of [0, 1]) expect((await placed(`chief-${i}`))?.spec?.nodeName).toBe('crowded')
  })

  it('waits with a pod until its claim is bound, and binds claims that wait for their first pod', async () => {
    await node('disk')
    const claim = (name: string, storageClassName: string) =>
      cluster.client.create(
        kinds.persistentVolumeClaims,
        {
          metadata: at(name),
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName,
            resources: { requests: { storage: '1Gi' } },
          },
        },
        { namespace },
      )
    await cluster.client.create(kinds.storageClasses, {
      metadata: { name: 'local' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    const volume = (name: string, storageClassName: string) =>
      cluster.client.create(kinds.persistentVolumes, {
        metadata: { name },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          persistentVolumeReclaimPolicy: 'Retain',
          storageClassName,
          hostPath: { path: '/data' },
        },
      })
    await volume('local-1', 'local')
    await claim('consumed', 'local')
    const mount = (claimName: string) => ({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] })
    await cluster.until(
      kinds.persistentVolumes,
      { name: 'local-1' },
      (now) => now?.status?.phase === 'Available',
    )
    await pod('consumer', 'disk', { cpu: '1' }, mount('consumed'))
    await placed('consumer')
    expect((await cluster.client.get(kinds.persistentVolumeClaims, at('consumed'))).spec?.volumeName).toBe(
      'local-1',
    )

    await claim('unbound', 'none-yet')
    await pod('patient', 'disk', { cpu: '1' }, mount('unbound'))
    const waiting = await refused('patient')
    expect(waiting?.status?.conditions?.[0]?.message).toContain(
      'pod has unbound immediate PersistentVolumeClaims.',
    )
    await volume('late-volume', 'none-yet')
    await placed('patient')
  })

  it('leaves pods to other schedulers, and those that are still gated', async () => {
    await pod('foreign', 'gpu', { cpu: '1' }, { schedulerName: 'someone-else' })
    await pod('gated', 'gpu', { cpu: '1' }, { schedulingGates: [{ name: 'example.com/wait' }] })
    await pod('plain', 'gpu', { cpu: '1' })
    await placed('plain')
    for (const name of ['foreign', 'gated']) {
      expect((await cluster.client.get(kinds.pods, at(name))).spec?.nodeName).toBeUndefined()
    }
    await cluster.client.patch(kinds.pods, at('gated'), {
      type: 'json',
      operations: [{ op: 'remove', path: '/spec/schedulingGates/0' }],
    })
    await placed('gated')
  })
})

describe('the life of nodes', () => {
  it('taints a node that is cordoned or unwell, and takes pods away that do not bear it', async () => {
    await node('frail')
    await pod(
      'tenant',
      'frail',
      { cpu: '1' },
      {
        tolerations: [
          {
            key: 'node.kubernetes.io/not-ready',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 0,
          },
        ],
      },
    )
    await placed('tenant')
    await cluster.client.patch(
      kinds.nodes,
      { name: 'frail' },
      { type: 'strategic', patch: { status: { conditions: [{ type: 'Ready', status: 'False' }] } } },
      { subresource: 'status' },
    )
    const tainted = await cluster.until(
      kinds.nodes,
      { name: 'frail' },
      (now) => (now?.spec?.taints ?? []).length === 2,
    )
    expect(tainted?.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
      'node.kubernetes.io/not-ready:NoSchedule',
      'node.kubernetes.io/not-ready:NoExecute',
    ])
    await cluster.until(kinds.pods, at('tenant'), (now) => now?.metadata.deletionTimestamp !== undefined)
  })
})
