import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DaemonSet, kinds, type Persisted, type Pod } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'daemons'
type Spec = NonNullable<DaemonSet['spec']>
const stop = new AbortController()
const patient = { timeout: 15_000 }
/** Pods of sets with this label are left as they were made: nobody makes them ready. */
const sleepy = 'sleepy'

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
  for (const name of ['n1', 'n2', 'n3']) await addNode(name)
  void playNodes()
})
afterAll(async () => {
  stop.abort()
  await cluster.close()
})

async function addNode(name: string, labels: Record<string, string> = {}): Promise<void> {
  await cluster.client.create(kinds.nodes, { metadata: { name, labels } })
  const patch = {
    status: {
      allocatable: { cpu: '8', memory: '16Gi', pods: '110' },
      capacity: { cpu: '8', memory: '16Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  } as never
  await cluster.client.patch(kinds.nodes, { name }, { type: 'strategic', patch }, { subresource: 'status' })
}

/** What nodes would do: pods that come run and are ready, pods that are deleted go. */
async function playNodes(): Promise<void> {
  const { signal } = stop
  const { client } = cluster
  try {
    for await (const event of client.watch(kinds.pods, { namespace, resourceVersion: '0', signal })) {
      if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue
      const { metadata, spec, status } = event.object
      const where = { namespace, name: metadata.name }
      if (metadata.deletionTimestamp !== undefined) {
        await client.delete(kinds.pods, where, { gracePeriodSeconds: 0 }).catch(() => undefined)
      } else if (spec?.nodeName && (status?.phase ?? 'Pending') === 'Pending') {
        if (metadata.labels?.[sleepy] === undefined) await serve(metadata.name)
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function serve(name: string): Promise<void> {
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }]
  const patch = { status: { phase: 'Running', conditions } } as never
  const at = { namespace, name }
  await cluster.client
    .patch(kinds.pods, at, { type: 'strategic', patch }, { subresource: 'status' })
    .catch(() => undefined)
}

const at = (name: string) => ({ namespace, name })
const create = (name: string, spec: Partial<Spec> = {}, labels: Record<string, string> = {}) => {
  const all = { app: name, ...labels }
  const template = { metadata: { labels: all }, spec: { containers: [{ name: 'm', image: 'busybox:1' }] } }
  const whole = { selector: { matchLabels: { app: name } }, template, ...spec }
  return cluster.client.create(kinds.daemonSets, { metadata: at(name), spec: whole }, { namespace })
}
const change = (name: string, spec: object) =>
  cluster.client.patch(kinds.daemonSets, at(name), { type: 'strategic', patch: { spec } as never })
const withImage = (image: string, labels: Record<string, string> = {}) => ({
  template: { metadata: { labels }, spec: { containers: [{ name: 'm', image }] } },
})
const podsOf = async (name: string): Promise<Persisted<Pod>[]> => {
  const { items } = await cluster.client.list(kinds.pods, { namespace, labelSelector: `app=${name}` })
  return items
}
const nodesOf = async (name: string) =>
  (await podsOf(name))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec }) => spec?.nodeName)
    .sort()
const untilSet = (name: string, wanted: (status: NonNullable<DaemonSet['status']>) => boolean) =>
  cluster.until(
    kinds.daemonSets,
    at(name),
    (now) =>
      now?.status !== undefined &&
      now.status.observedGeneration === now.metadata.generation &&
      wanted(now.status),
  )
const untilEvent = (reason: string, text: string) =>
  expect
    .poll(async () => {
      const { items } = await cluster.client.list(kinds.events, { namespace })
      return items.some((event) => event.reason === reason && event.message?.includes(text))
    }, patient)
    .toBe(true)

describe('a daemon set', () => {
  it('is filled in, and refused what makes no sense', async () => {
    const made = await create('plain', { ...withImage('busybox:1', { app: 'plain' }) })
    expect(made).toMatchObject({
      metadata: { generation: 1, annotations: { 'deprecated.daemonset.template.generation': '1' } },
      spec: {
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      },
      status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
    })
    const rolling = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
    for (const [spec, text] of [
      [{ selector: {} }, 'empty selector is invalid for daemonset'],
      [
        { selector: { matchLabels: { app: 'other' } } },
        'spec.template.metadata.labels: Invalid value: {"app":"wrong"}: `selector` does not match template `labels`',
      ],
      [
        rolling({ maxUnavailable: 0 }),
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
      ],
      [
        rolling({ maxSurge: '10%' }),
        'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "10%": may not be set when maxUnavailable is non-zero',
      ],
      [
        rolling({ maxUnavailable: '101%' }),
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      ],
      [{ updateStrategy: { type: 'Never' } }, 'supported values: "RollingUpdate", "OnDelete"'],
      [{ minReadySeconds: -1 }, 'spec.minReadySeconds: Invalid value: -1'],
    ] as const) {
      await expect(create('wrong', spec as Partial<Spec>)).rejects.toThrow(text)
    }
    await expect(change('plain', { selector: { matchLabels: { app: 'b' } } })).rejects.toThrow(
      'field is immutable',
    )
    const ending = { template: { spec: { activeDeadlineSeconds: 5 } } }
    await expect(change('plain', ending)).rejects.toThrow(
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported',
    )
    await expect(change('plain', { template: { spec: { restartPolicy: 'Never' } } })).rejects.toThrow(
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    )
    const changed = await change('plain', withImage('busybox:2'))
    expect(changed.metadata).toMatchObject({
      generation: 2,
      annotations: { 'deprecated.daemonset.template.generation': '2' },
    })
    await cluster.client.delete(kinds.daemonSets, at('plain'))
  })

  it('has one pod on every node, meant for that node alone, and says so', async () => {
    await create('all')
    const set = await untilSet('all', ({ numberAvailable }) => numberAvailable === 3)
    expect(set?.status).toEqual({
      observedGeneration: 1,
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      updatedNumberScheduled: 3,
      numberAvailable: 3,
    })
    expect(await nodesOf('all')).toEqual(['n1', 'n2', 'n3'])
    const [pod] = await podsOf('all')
    const { items } = await cluster.client.list(kinds.controllerRevisions, { namespace })
    const revision = items.find(({ metadata }) => metadata.ownerReferences?.[0]?.name === 'all')
    expect(revision?.metadata.name).toBe(`all-${revision?.metadata.labels?.['controller-revision-hash']}`)
    expect(pod?.metadata).toMatchObject({
      generateName: 'all-',
      labels: {
        app: 'all',
        'pod-template-generation': '1',
        'controller-revision-hash': revision?.metadata.labels?.['controller-revision-hash'],
      },
      ownerReferences: [{ kind: 'DaemonSet', name: 'all', controller: true, blockOwnerDeletion: true }],
    })
    expect(pod?.spec?.affinity).toEqual({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchFields: [{ key: 'metadata.name', operator: 'In', values: [pod?.spec?.nodeName] }] },
          ],
        },
      },
    })
    expect(pod?.spec?.tolerations?.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/disk-pressure:NoSchedule',
      'node.kubernetes.io/memory-pressure:NoSchedule',
      'node.kubernetes.io/pid-pressure:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ])
    await untilEvent('SuccessfulCreate', `Created pod: ${pod?.metadata.name}`)
    // One that is deleted comes back.
    await cluster.client.delete(kinds.pods, at(pod?.metadata.name ?? ''))
    await cluster.until(kinds.pods, at(pod?.metadata.name ?? ''), (now) => now === undefined)
    await untilSet('all', ({ numberAvailable }) => numberAvailable === 3)
    await cluster.client.delete(kinds.daemonSets, at('all'))
  })

  it('follows labels and taints of nodes, and new nodes', async () => {
    await addNode('gpu1', { gpu: 'yes' })
    const spec = { containers: [{ name: 'm', image: 'busybox:1' }], nodeSelector: { gpu: 'yes' } }
    await create('gpu', { template: { metadata: { labels: { app: 'gpu' } }, spec } })
    await untilSet('gpu', ({ numberAvailable }) => numberAvailable === 1)
    await addNode('gpu2', { gpu: 'yes' })
    await untilSet('gpu', ({ numberAvailable }) => numberAvailable === 2)
    expect(await nodesOf('gpu')).toEqual(['gpu1', 'gpu2'])

    const patchNode = (name: string, patch: object) =>
      cluster.client.patch(kinds.nodes, { name }, { type: 'merge', patch: patch as never })
    const taint = (effect: string) => ({ spec: { taints: [{ key: 'k', effect }] } })
    // Who is there may stay under NoSchedule, but counts as out of place.
    await patchNode('gpu2', taint('NoSchedule'))
    await untilSet('gpu', (now) => now.desiredNumberScheduled === 1 && now.numberMisscheduled === 1)
    expect(await nodesOf('gpu')).toEqual(['gpu1', 'gpu2'])
    await patchNode('gpu2', taint('NoExecute'))
    await untilSet('gpu', (now) => now.numberMisscheduled === 0)
    expect(await nodesOf('gpu')).toEqual(['gpu1'])
    await change('gpu', { template: { spec: { tolerations: [{ operator: 'Exists' }] } } })
    await untilSet('gpu', (now) => now.numberAvailable === 2 && now.updatedNumberScheduled === 2)

    await patchNode('gpu1', { metadata: { labels: { gpu: null } } })
    await untilSet('gpu', (now) => now.desiredNumberScheduled === 1 && now.numberMisscheduled === 0)
    expect(await nodesOf('gpu')).toEqual(['gpu2'])
    await cluster.client.delete(kinds.daemonSets, at('gpu'))
    for (const name of ['gpu1', 'gpu2']) await cluster.client.delete(kinds.nodes, { name })
  })

  it('rolls node by node, never more missing than allowed, and keeps the history', async () => {
    await create('roll', { revisionHistoryLimit: 1 })
    await untilSet('roll', ({ numberAvailable }) => numberAvailable === 3)
    await change('roll', withImage('busybox:2', { [sleepy]: 'yes' }))
    // The first new pod never becomes ready: there it ends.
    const stuck = await untilSet('roll', (now) => now.updatedNumberScheduled === 1)
    expect(stuck?.status).toMatchObject({ numberUnavailable: 1, numberAvailable: 2 })
    const images = async () => (await podsOf('roll')).map(({ spec }) => spec?.containers[0]?.image).sort()
    expect(await images()).toEqual(['busybox:1', 'busybox:1', 'busybox:2'])
    await change('roll', { template: { metadata: { labels: { [sleepy]: null } } } })
    await untilSet('roll', (now) => now.numberAvailable === 3 && now.updatedNumberScheduled === 3)
    expect(await images()).toEqual(['busybox:2', 'busybox:2', 'busybox:2'])
    const revisions = async () => {
      const { items } = await cluster.client.list(kinds.controllerRevisions, {
        namespace,
        labelSelector: 'app=roll',
      })
      return items.map(({ revision }) => revision).sort()
    }
    // The second was no longer lived in when there was one too many.
    await expect.poll(revisions, patient).toEqual([1, 3])
    // Back to a template that is known: its revision becomes the newest.
    await change('roll', withImage('busybox:1'))
    await expect.poll(revisions, patient).toEqual([3, 4])
    await cluster.client.delete(kinds.daemonSets, at('roll'))
  })

  it('makes the new pod before it takes the old one away, where it may surge', async () => {
    await create('surge', {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    })
    await untilSet('surge', ({ numberAvailable }) => numberAvailable === 3)
    await change('surge', withImage('busybox:2', { [sleepy]: 'yes' }))
    await expect.poll(async () => (await podsOf('surge')).length, patient).toBe(4)
    const fresh = (await podsOf('surge')).find(({ spec }) => spec?.containers[0]?.image === 'busybox:2')
    expect((await untilSet('surge', () => true))?.status).toMatchObject({ numberAvailable: 3 })
    await cluster.until(
      kinds.pods,
      at(fresh?.metadata.name ?? ''),
      (now) => now?.spec?.nodeName !== undefined,
    )
    await serve(fresh?.metadata.name ?? '')
    await untilSet('surge', (now) => now.updatedNumberScheduled === 1)
    await change('surge', { template: { metadata: { labels: { [sleepy]: null } } } })
    await untilSet('surge', (now) => now.updatedNumberScheduled === 3 && now.numberAvailable === 3)
    await expect.poll(() => nodesOf('surge'), patient).toEqual(['n1', 'n2', 'n3'])
    await cluster.client.delete(kinds.daemonSets, at('surge'))
  })

  it('leaves old pods alone until somebody deletes them, where it is told to', async () => {
    await create('calm', { updateStrategy: { type: 'OnDelete' } })
    await untilSet('calm', ({ numberAvailable }) => numberAvailable === 3)
    await change('calm', withImage('busybox:2'))
    await untilSet('calm', (now) => now.updatedNumberScheduled === undefined && now.numberAvailable === 3)
    const [pod] = await podsOf('calm')
    await cluster.client.delete(kinds.pods, at(pod?.metadata.name ?? ''))
    await untilSet('calm', (now) => now.updatedNumberScheduled === 1 && now.numberAvailable === 3)
    await cluster.client.delete(kinds.daemonSets, at('calm'))
  })

  it('replaces failed pods, and lets go what its selector does not find', async () => {
    await create('odd')
    await untilSet('odd', ({ numberAvailable }) => numberAvailable === 3)
    const [failing, leaving] = (await podsOf('odd')).map(({ metadata }) => metadata.name)
    const patch = { status: { phase: 'Failed' } } as never
    await cluster.client.patch(
      kinds.pods,
      at(failing ?? ''),
      { type: 'strategic', patch },
      { subresource: 'status' },
    )
    await untilEvent('FailedDaemonPod', `Found failed daemon pod ${namespace}/${failing} on node`)
    await cluster.until(kinds.pods, at(failing ?? ''), (now) => now === undefined)
    await cluster.client.patch(kinds.pods, at(leaving ?? ''), {
      type: 'merge',
      patch: { metadata: { labels: { app: 'free' } } },
    } as never)
    await cluster.until(kinds.pods, at(leaving ?? ''), (now) => !now?.metadata.ownerReferences?.length)
    await expect.poll(() => nodesOf('odd'), patient).toEqual(['n1', 'n2', 'n3'])
    await cluster.client.delete(kinds.daemonSets, at('odd'))
  })
})
