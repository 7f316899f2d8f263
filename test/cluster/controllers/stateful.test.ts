import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds, type Persisted, type StatefulSet } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'stateful'
type Spec = NonNullable<StatefulSet['spec']>

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
})
afterAll(() => cluster.close())

const at = (name: string) => ({ namespace, name })
const create = (name: string, spec: Partial<Spec> = {}) => {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'busybox:1' }] } }
  const whole = { selector: { matchLabels: labels }, serviceName: 'svc', template, ...spec }
  return cluster.client.create(kinds.statefulSets, { metadata: at(name), spec: whole }, { namespace })
}
const change = (name: string, spec: object) =>
  cluster.client.patch(kinds.statefulSets, at(name), { type: 'strategic', patch: { spec } as never })
const withImage = (image: string) => ({ template: { spec: { containers: [{ name: 'm', image }] } } })
const podsOf = async (name: string) => {
  const { items } = await cluster.client.list(kinds.pods, { namespace, labelSelector: `app=${name}` })
  return items.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}
const untilSet = (name: string, wanted: (status: NonNullable<StatefulSet['status']>) => boolean) =>
  cluster.until(kinds.statefulSets, at(name), (now) => now?.status !== undefined && wanted(now.status))

/** What a node would do: the pod runs and is ready. */
async function serve(pod: string): Promise<void> {
  await cluster.until(kinds.pods, at(pod), (now) => now !== undefined && !now.metadata.deletionTimestamp)
  const conditions = [{ type: 'Ready', status: 'True' }]
  const patch = { status: { phase: 'Running', conditions } } as never
  await cluster.client.patch(kinds.pods, at(pod), { type: 'strategic', patch }, { subresource: 'status' })
}

describe('a stateful set', () => {
  it('is refused what makes no sense, and a change of what stays as it is', async () => {
    await expect(create('wrong', { podManagementPolicy: 'Wild' })).rejects.toThrow(
      `spec.podManagementPolicy: Invalid value: "Wild": must be 'OrderedReady' or 'Parallel'`,
    )
    await expect(
      create('wrong', { updateStrategy: { type: 'OnDelete', rollingUpdate: {} } }),
    ).rejects.toThrow("only allowed for updateStrategy 'RollingUpdate'")
    await expect(create('wrong', { selector: {} })).rejects.toThrow(
      'empty selector is invalid for statefulset',
    )
    await create('fixed', { replicas: 0 })
    await expect(change('fixed', { serviceName: 'other' })).rejects.toThrow(
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    )
  })

  it('makes its pods one after the other, with names, volumes and a hostname of their own', async () => {
    const claim: NonNullable<Spec['volumeClaimTemplates']>[number] = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }
    const containers = [
      { name: 'm', image: 'busybox:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
    ]
    await create('db', {
      replicas: 2,
      template: { metadata: { labels: { app: 'db' } }, spec: { containers } },
      volumeClaimTemplates: [claim],
    })
    await untilSet('db', ({ replicas }) => replicas === 1)
    expect((await podsOf('db')).map(({ metadata }) => metadata.name)).toEqual(['db-0'])
    await serve('db-0')
    await serve('db-1')
    const full = await untilSet('db', ({ availableReplicas }) => availableReplicas === 2)
    expect(full?.status).toMatchObject({ replicas: 2, readyReplicas: 2, currentReplicas: 2 })
    const [pod] = await podsOf('db')
    expect(pod).toMatchObject({
      metadata: {
        labels: {
          'statefulset.kubernetes.io/pod-name': 'db-0',
          'apps.kubernetes.io/pod-index': '0',
          'controller-revision-hash': full?.status?.currentRevision,
        },
        ownerReferences: [{ kind: 'StatefulSet', name: 'db', controller: true }],
      },
      spec: { hostname: 'db-0', subdomain: 'svc' },
    })
    expect(pod?.spec?.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'data-db-0' },
    })
    await change('db', { replicas: 1 })
    await untilSet('db', ({ replicas }) => replicas === 1)
    expect((await podsOf('db')).map(({ metadata }) => metadata.name)).toEqual(['db-0'])
    const claims = await cluster.client.list(kinds.persistentVolumeClaims, { namespace })
    expect(claims.items.map(({ metadata }) => metadata.name).sort()).toEqual(['data-db-0', 'data-db-1'])

    await change('db', { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } })
    await cluster.until(
      kinds.persistentVolumeClaims,
      at('data-db-0'),
      (now) => now?.metadata.ownerReferences?.[0]?.kind === 'StatefulSet',
    )
  })

  it('shrinks one after the other, and not while another pod is not ready', async () => {
    const pods = ['shrink-0', 'shrink-1', 'shrink-2']
    const ready = (pod: string, status: 'True' | 'False') =>
      cluster.client.patch(
        kinds.pods,
        at(pod),
        { type: 'strategic', patch: { status: { conditions: [{ type: 'Ready', status }] } } as never },
        { subresource: 'status' },
      )
    await create('shrink', { replicas: 3 })
    for (const pod of pods) await serve(pod)
    await untilSet('shrink', ({ readyReplicas }) => readyReplicas === 3)
    for (const pod of pods) await ready(pod, 'False')
    await untilSet('shrink', ({ readyReplicas }) => readyReplicas === undefined)
    await change('shrink', { replicas: 0 })
    await untilSet('shrink', ({ observedGeneration }) => observedGeneration === 2)
    expect(await podsOf('shrink')).toHaveLength(3)
    await ready('shrink-2', 'True')
    await cluster.until(kinds.pods, at('shrink-2'), (now) => now === undefined)
    await ready('shrink-0', 'True')
    await untilSet('shrink', ({ readyReplicas }) => readyReplicas === 1)
    // The last one that is not ready, and nobody's help is to be had from those below it.
    await cluster.until(kinds.pods, at('shrink-1'), (now) => now === undefined)
    await untilSet('shrink', ({ replicas }) => replicas === 0)
  })

  it('rolls from the highest down to its partition, keeping a revision of every template', async () => {
    await create('roll', {
      replicas: 2,
      podManagementPolicy: 'Parallel',
      updateStrategy: { rollingUpdate: { partition: 1 } },
    })
    await Promise.all([serve('roll-0'), serve('roll-1')])
    const first = await untilSet('roll', ({ availableReplicas }) => availableReplicas === 2)
    await change('roll', withImage('busybox:2'))
    await cluster.until(
      kinds.pods,
      at('roll-1'),
      (now) => now?.spec?.containers[0]?.image === 'busybox:2' && !now.metadata.deletionTimestamp,
    )
    await serve('roll-1')
    const half = await untilSet(
      'roll',
      ({ updatedReplicas, readyReplicas }) => updatedReplicas === 1 && readyReplicas === 2,
    )
    expect(half?.status).toMatchObject({
      currentRevision: first?.status?.currentRevision,
      currentReplicas: 1,
    })
    expect(half?.status?.updateRevision).not.toBe(half?.status?.currentRevision)
    const imagesOf = async () => (await podsOf('roll')).map(({ spec }) => spec?.containers[0]?.image)
    expect(await imagesOf()).toEqual(['busybox:1', 'busybox:2'])
    // Below the partition a pod comes back as it was.
    const [zero] = await podsOf('roll')
    await cluster.client.delete(kinds.pods, at('roll-0'), { gracePeriodSeconds: 0 })
    await cluster.until(
      kinds.pods,
      at('roll-0'),
      (now) => now !== undefined && now.metadata.uid !== zero?.metadata.uid,
    )
    await serve('roll-0')
    expect(await imagesOf()).toEqual(['busybox:1', 'busybox:2'])

    await change('roll', { updateStrategy: { rollingUpdate: { partition: 0 } } })
    await cluster.until(
      kinds.pods,
      at('roll-0'),
      (now) => now?.spec?.containers[0]?.image === 'busybox:2' && !now.metadata.deletionTimestamp,
    )
    await serve('roll-0')
    const whole = (await untilSet(
      'roll',
      ({ currentReplicas, currentRevision, updateRevision }) =>
        currentReplicas === 2 && currentRevision === updateRevision,
    )) as Persisted<StatefulSet>
    const { items } = await cluster.client.list(kinds.controllerRevisions, {
      namespace,
      labelSelector: 'app=roll',
    })
    expect(items.map(({ revision }) => revision).sort()).toEqual([1, 2])
    expect(items.find(({ revision }) => revision === 2)?.metadata.name).toBe(whole.status?.updateRevision)
  })

  it('leaves old pods alone until somebody deletes them, where it is told to', async () => {
    await create('calm', { replicas: 1, updateStrategy: { type: 'OnDelete' }, ordinals: { start: 5 } })
    await serve('calm-5')
    await untilSet('calm', ({ availableReplicas }) => availableReplicas === 1)
    const changed = await change('calm', withImage('busybox:2'))
    await untilSet('calm', ({ observedGeneration }) => observedGeneration === changed.metadata.generation)
    const [old] = await podsOf('calm')
    expect(old?.spec?.containers[0]?.image).toBe('busybox:1')
    await cluster.client.delete(kinds.pods, at('calm-5'), { gracePeriodSeconds: 0 })
    const next = await cluster.until(
      kinds.pods,
      at('calm-5'),
      (now) => now !== undefined && now.metadata.uid !== old?.metadata.uid,
    )
    expect(next?.spec?.containers[0]?.image).toBe('busybox:2')
  })

  it('is refused claim templates that could never become claims', async () => {
    const asks = (claim: object) => create('wrong', { volumeClaimTemplates: [claim as never] })
    const resources = { requests: { storage: '1Gi' } }
    await expect(asks({ metadata: { name: 'data' }, spec: { resources } })).rejects.toThrow(
      'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
    )
    await expect(
      asks({ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }),
    ).rejects.toThrow('spec.volumeClaimTemplates[0].spec.resources[storage]: Required value')
    await expect(asks({ spec: { accessModes: ['ReadWriteOnce'], resources } })).rejects.toThrow(
      'spec.volumeClaimTemplates[0].metadata.name: Required value',
    )
    await expect(
      create('wrong', { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Never' } }),
    ).rejects.toThrow(
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Never": supported values: "Retain", "Delete"',
    )
    const containers = [
      { name: 'm', image: 'busybox:1', volumeMounts: [{ name: 'none', mountPath: '/data' }] },
    ]
    await expect(
      create('wrong', { template: { metadata: { labels: { app: 'wrong' } }, spec: { containers } } }),
    ).rejects.toThrow('spec.template.spec.containers[0].volumeMounts[0].name: Not found: "none"')
  })

  it('gives up the claims of pods that are scaled away, and of the whole set, where it is told to', async () => {
    const claim: NonNullable<Spec['volumeClaimTemplates']>[number] = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }
    await create('brief', {
      replicas: 2,
      podManagementPolicy: 'Parallel',
      volumeClaimTemplates: [claim],
      persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' },
    })
    await Promise.all([serve('brief-0'), serve('brief-1')])
    await untilSet('brief', ({ availableReplicas }) => availableReplicas === 2)
    await change('brief', { replicas: 1 })
    await cluster.until(kinds.persistentVolumeClaims, at('data-brief-1'), (now) => now === undefined)
    const kept = await cluster.client.get(kinds.persistentVolumeClaims, at('data-brief-0'))
    expect(kept.metadata.ownerReferences).toMatchObject([{ kind: 'StatefulSet', name: 'brief' }])
    await cluster.client.delete(kinds.statefulSets, at('brief'))
    await cluster.until(kinds.persistentVolumeClaims, at('data-brief-0'), (now) => now === undefined)
  })

  it('keeps as many old revisions as it may, and why each was made', async () => {
    await create('past', { replicas: 1, podManagementPolicy: 'Parallel', revisionHistoryLimit: 1 })
    await serve('past-0')
    for (const version of [2, 3, 4]) {
      await cluster.client.patch(kinds.statefulSets, at('past'), {
        type: 'merge',
        patch: {
          metadata: { annotations: { 'kubernetes.io/change-cause': `to ${version}` } },
          spec: withImage(`busybox:${version}`),
        } as never,
      })
      await cluster.until(
        kinds.pods,
        at('past-0'),
        (now) => now?.spec?.containers[0]?.image === `busybox:${version}` && !now.metadata.deletionTimestamp,
      )
      await serve('past-0')
      await untilSet('past', (now) => now.currentRevision === now.updateRevision && now.readyReplicas === 1)
    }
    const labelSelector = 'app=past'
    const revisions = async () => {
      const { items } = await cluster.client.list(kinds.controllerRevisions, { namespace, labelSelector })
      return items
        .sort((a, b) => a.revision - b.revision)
        .map(({ metadata }) => metadata.annotations?.['kubernetes.io/change-cause'])
    }
    await expect.poll(revisions, { timeout: 15_000 }).toEqual(['to 3', 'to 4'])
  })

  it('takes pods of its name that nobody has, and lets go those that no longer fit', async () => {
    const labels = { app: 'taken' }
    const spec = { containers: [{ name: 'm', image: 'busybox:1' }] }
    await cluster.client.create(kinds.pods, { metadata: { name: 'taken-0', labels }, spec }, { namespace })
    await cluster.client.create(kinds.pods, { metadata: { name: 'taken-x', labels }, spec }, { namespace })
    await create('taken', { replicas: 1, updateStrategy: { type: 'OnDelete' } })
    const adopted = await cluster.until(
      kinds.pods,
      at('taken-0'),
      (now) => now?.metadata.ownerReferences?.[0]?.kind === 'StatefulSet',
    )
    expect(adopted?.metadata.ownerReferences).toMatchObject([{ name: 'taken', controller: true }])
    await serve('taken-0')
    await cluster.until(
      kinds.pods,
      at('taken-0'),
      (now) => now?.metadata.labels?.['statefulset.kubernetes.io/pod-name'] === 'taken-0',
    )
    const other = await cluster.client.get(kinds.pods, at('taken-x'))
    expect(other.metadata.ownerReferences).toBeUndefined()
    await cluster.client.patch(kinds.pods, at('taken-0'), {
      type: 'merge',
      patch: { metadata: { labels: { app: 'free' } } } as never,
    })
    await cluster.until(kinds.pods, at('taken-0'), (now) => !now?.metadata.ownerReferences?.length)
    // Its place is taken until somebody deletes it.
    await cluster.client.delete(kinds.pods, at('taken-0'), { gracePeriodSeconds: 0 })
    await cluster.until(kinds.pods, at('taken-0'), (now) => now?.metadata.labels?.['app'] === 'taken')
  })

  it('replaces as many pods at a time as may be missing', async () => {
    const rolling = (maxUnavailable: number | string) => ({
      updateStrategy: { rollingUpdate: { maxUnavailable } },
    })
    await expect(create('wrong', rolling(0))).rejects.toThrow(
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0',
    )
    await expect(create('wrong', rolling('120%'))).rejects.toThrow('must not be greater than 100%')
    await create('many', { replicas: 4, podManagementPolicy: 'Parallel', ...rolling('50%') })
    await Promise.all([0, 1, 2, 3].map((ordinal) => serve(`many-${ordinal}`)))
    await untilSet('many', ({ availableReplicas }) => availableReplicas === 4)
    await change('many', withImage('busybox:2'))
    const images = async () => (await podsOf('many')).map(({ spec }) => spec?.containers[0]?.image)
    const patient = { timeout: 15_000 }
    await expect.poll(images, patient).toEqual(['busybox:1', 'busybox:1', 'busybox:2', 'busybox:2'])
    await serve('many-3')
    await expect.poll(images, patient).toEqual(['busybox:1', 'busybox:2', 'busybox:2', 'busybox:2'])
  })

  it('takes over the pods and the history that one of its name has left behind', async () => {
    await create('heir', { replicas: 1 })
    await serve('heir-0')
    const first = await untilSet('heir', ({ availableReplicas }) => availableReplicas === 1)
    const pod = await cluster.client.get(kinds.pods, at('heir-0'))
    await cluster.client.delete(kinds.statefulSets, at('heir'), { propagationPolicy: 'Orphan' })
    await cluster.until(kinds.statefulSets, at('heir'), (now) => now === undefined)
    await create('heir', { replicas: 1 })
    const second = await untilSet('heir', ({ availableReplicas }) => availableReplicas === 1)
    expect(second?.status).toMatchObject({
      currentRevision: first?.status?.currentRevision,
      updateRevision: first?.status?.updateRevision,
      collisionCount: 0,
    })
    const now = await cluster.client.get(kinds.pods, at('heir-0'))
    expect(now.metadata.uid).toBe(pod.metadata.uid)
  })
})
