import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Deployment, kinds, type Persisted, type ReplicaSet } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'rollouts'
type Spec = NonNullable<Deployment['spec']>

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
})
afterAll(() => cluster.close())

function deployment(name: string, spec: Partial<Spec> = {}): Deployment & { metadata: { name: string } } {
  const labels = { app: name }
  return {
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'busybox:1' }] } },
      ...spec,
    },
  }
}

const at = (name: string) => ({ namespace, name })
const create = (name: string, spec: Partial<Spec> = {}) =>
  cluster.client.create(kinds.deployments, deployment(name, spec), { namespace })
const change = (name: string, spec: object) =>
  cluster.client.patch(kinds.deployments, at(name), { type: 'strategic', patch: { spec } as never })
const withImage = (image: string) => ({ template: { spec: { containers: [{ name: 'm', image }] } } })

async function setsOf(name: string): Promise<Persisted<ReplicaSet>[]> {
  const { items } = await cluster.client.list(kinds.replicaSets, { namespace, labelSelector: `app=${name}` })
  const revision = (set: Persisted<ReplicaSet>) =>
    Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'])
  return items.sort((a, b) => revision(a) - revision(b))
}

/** What a node would do: says that every pod of the app runs, and stops those that are being deleted. */
async function serve(name: string): Promise<void> {
  const { items } = await cluster.client.list(kinds.pods, { namespace, labelSelector: `app=${name}` })
  for (const { metadata, status } of items) {
    if (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')) continue
    await cluster.client
      .patch(
        kinds.pods,
        { namespace, name: metadata.name },
        {
          type: 'strategic',
          patch: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
        },
        { subresource: 'status' },
      )
      .catch(() => undefined)
  }
}

/** Serves all pods of the app as they come, until the deployment is as the test wants it. */
async function untilServed(
  name: string,
  wanted: (object: Persisted<Deployment>) => boolean,
): Promise<Persisted<Deployment>> {
  const done = new AbortController()
  const serving = (async () => {
    for await (const { type } of cluster.client.watch(kinds.pods, {
      namespace,
      labelSelector: `app=${name}`,
      signal: done.signal,
    })) {
      if (type === 'ADDED') await serve(name)
    }
  })().catch(() => undefined)
  try {
    const found = await cluster.until(kinds.deployments, at(name), (now) => now !== undefined && wanted(now))
    if (found === undefined) throw new Error(`${name} is gone`)
    return found
  } finally {
    done.abort()
    await serving
  }
}

const isDone =
  (replicas: number, revision = '1') =>
  ({ metadata, spec, status }: Persisted<Deployment>): boolean =>
    metadata.annotations?.['deployment.kubernetes.io/revision'] === revision &&
    spec?.replicas === replicas &&
    (status?.availableReplicas ?? 0) === replicas &&
    (status?.updatedReplicas ?? 0) === replicas &&
    (status?.replicas ?? 0) === replicas &&
    status?.observedGeneration === metadata.generation

describe('a deployment', () => {
  it('takes up replica sets that fit it, and counts on from their revisions, however large', async () => {
    const labels = { app: 'adopting' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'busybox:0' }] } }
    const annotations = { 'deployment.kubernetes.io/revision': '3546343826724305832' }
    await cluster.client.create(
      kinds.replicaSets,
      {
        metadata: { name: 'earlier', namespace, labels, annotations },
        spec: { replicas: 0, selector: { matchLabels: labels }, template },
      },
      { namespace },
    )
    await create('adopting', { replicas: 0 })
    const adopting = await cluster.until(
      kinds.deployments,
      at('adopting'),
      (now) => now?.metadata.annotations?.['deployment.kubernetes.io/revision'] !== undefined,
    )
    expect(adopting?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3546343826724305833')
    const earlier = await cluster.client.get(kinds.replicaSets, at('earlier'))
    expect(earlier.metadata.ownerReferences?.[0]?.name).toBe('adopting')
  })

  it('gets what it leaves out, and is refused what makes no sense', async () => {
    const made = await create('defaults', { replicas: 0 })
    expect(made.spec).toMatchObject({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    })
    const refusals: [Partial<Spec>, string][] = [
      [
        { strategy: { type: 'Recreate', rollingUpdate: {} } },
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      ],
      [
        { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
      ],
      [
        { strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      ],
      [
        { progressDeadlineSeconds: 5, minReadySeconds: 5 },
        'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
      ],
      [
        { selector: { matchLabels: { app: 'other' } } },
        'spec.template.metadata.labels: Invalid value: {"app":"wrong"}: `selector` does not match template `labels`',
      ],
      [
        { strategy: { type: 'Slowly' } },
        'spec.strategy: Unsupported value: {"Type":"Slowly","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
      ],
    ]
    for (const [spec, message] of refusals) {
      await expect(create('wrong', spec)).rejects.toThrow(message)
    }
    await expect(change('defaults', { selector: { matchLabels: { more: 'x' } } })).rejects.toThrow(
      'field is immutable',
    )
  })

  it('makes one replica set, tells its revision and events, and follows its scale', async () => {
    await create('web', { replicas: 2 })
    const full = await untilServed('web', isDone(2))
    expect(full.status?.conditions).toMatchObject([
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
    ])
    const [set] = await setsOf('web')
    const hash = set?.metadata.labels?.['pod-template-hash'] ?? ''
    expect(set).toMatchObject({
      metadata: {
        name: `web-${hash}`,
        annotations: {
          'deployment.kubernetes.io/revision': '1',
          'deployment.kubernetes.io/desired-replicas': '2',
          'deployment.kubernetes.io/max-replicas': '3',
        },
        ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
      },
      spec: { selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } } },
    })
    expect(full.status?.conditions?.[1]?.message).toBe(
      `ReplicaSet "web-${hash}" has successfully progressed.`,
    )
    await cluster.client.patch(
      kinds.deployments,
      at('web'),
      { type: 'merge', patch: { spec: { replicas: 3 } } },
      { subresource: 'scale' },
    )
    await untilServed('web', isDone(3))
    const { items } = await cluster.client.list(kinds.events, {
      namespace,
      fieldSelector: 'involvedObject.name=web',
    })
    const said = items.map(({ reason, message }) => `${reason}: ${message}`)
    expect(said).toContain(`ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 2`)
  })

  it('rolls to a new template within its bounds, goes back, and keeps no more history than it may', async () => {
    await create('roll', {
      replicas: 4,
      revisionHistoryLimit: 1,
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } },
    })
    await untilServed('roll', isDone(4))
    await change('roll', withImage('busybox:2'))
    const stuck = await cluster.until(
      kinds.deployments,
      at('roll'),
      (now) => now?.status?.updatedReplicas === 2 && now.status.replicas === 5,
    )
    expect(stuck?.status).toMatchObject({ availableReplicas: 3, unavailableReplicas: 2 })
    await untilServed('roll', isDone(4, '2'))
    expect((await setsOf('roll')).map(({ spec }) => spec?.replicas)).toEqual([0, 4])

    await change('roll', withImage('busybox:1'))
    await untilServed('roll', isDone(4, '3'))
    const [second, first] = await setsOf('roll')
    expect([second?.spec?.replicas, first?.spec?.replicas]).toEqual([0, 4])
    expect(first?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')

    await change('roll', withImage('busybox:3'))
    await untilServed('roll', isDone(4, '4'))
    await cluster.until(kinds.replicaSets, at(second?.metadata.name ?? ''), (object) => object === undefined)
    expect(await setsOf('roll')).toHaveLength(2)
  })

  it('counts once for a disruption budget, whatever number of replica sets a rollout has', async () => {
    await create('kept', { replicas: 2 })
    await untilServed('kept', isDone(2))
    const spec = { maxUnavailable: 1, selector: { matchLabels: { app: 'kept' } } }
    await cluster.client.create(kinds.podDisruptionBudgets, { metadata: at('kept'), spec }, { namespace })
    await change('kept', withImage('busybox:2'))
    await cluster.until(kinds.deployments, at('kept'), (now) => now?.status?.replicas === 3)
    const budget = await cluster.until(
      kinds.podDisruptionBudgets,
      at('kept'),
      (now) => now?.status?.disruptionsAllowed === 1,
    )
    expect(budget?.status).toMatchObject({ expectedPods: 2, desiredHealthy: 1 })
  })

  it('takes the old pods away before it makes new ones, where it recreates', async () => {
    await create('again', { replicas: 2, strategy: { type: 'Recreate' } })
    await untilServed('again', isDone(2))
    await change('again', withImage('busybox:2'))
    await untilServed('again', isDone(2, '2'))
    const { items } = await cluster.client.list(kinds.pods, { namespace, labelSelector: 'app=again' })
    expect(items.map(({ spec }) => spec?.containers[0]?.image)).toEqual(['busybox:2', 'busybox:2'])
  })

  it('rolls nothing while it is paused, but keeps to its size', async () => {
    await create('calm', { replicas: 1 })
    await untilServed('calm', isDone(1))
    await change('calm', { paused: true, replicas: 2, ...withImage('busybox:2') })
    const paused = await cluster.until(
      kinds.deployments,
      at('calm'),
      (now) => now?.status?.replicas === 2 && now.status.observedGeneration === now.metadata.generation,
    )
    expect(paused?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' }),
    )
    expect(await setsOf('calm')).toHaveLength(1)
    await change('calm', { paused: null })
    await untilServed('calm', isDone(2, '2'))
  })

  it('says when it does not get on, and why', async () => {
    await create('late', { progressDeadlineSeconds: 1 })
    const late = await cluster.until(kinds.deployments, at('late'), (now) =>
      Boolean(now?.status?.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded')),
    )
    const [set] = await setsOf('late')
    expect(late?.status?.conditions).toContainEqual(
      expect.objectContaining({
        status: 'False',
        message: `ReplicaSet "${set?.metadata.name}" has timed out progressing.`,
      }),
    )
    const hard = { 'count/replicasets.apps': '0' }
    const scarce = 'scarce'
    await cluster.client.create(kinds.namespaces, { metadata: { name: scarce } })
    const quota = { metadata: { name: scarce, namespace: scarce }, spec: { hard } }
    await cluster.client.create(kinds.resourceQuotas, quota, { namespace: scarce })
    const there = { namespace: scarce, name: scarce }
    await cluster.until(kinds.resourceQuotas, there, (now) => now?.status?.used !== undefined)
    const refused = { ...deployment(scarce), metadata: there }
    await cluster.client.create(kinds.deployments, refused, { namespace: scarce })
    const failed = await cluster.until(kinds.deployments, there, (now) =>
      Boolean(now?.status?.conditions?.some(({ reason }) => reason === 'ReplicaSetCreateError')),
    )
    expect(failed?.status?.conditions?.[0]?.message).toContain('Failed to create new replica set "scarce-')
  })

  it('takes its replica sets and pods along when it is deleted in the foreground, and leaves them when asked to', async () => {
    await create('gone', { replicas: 1 })
    await untilServed('gone', isDone(1))
    await cluster.client.delete(kinds.deployments, at('gone'), { propagationPolicy: 'Foreground' })
    await cluster.until(kinds.deployments, at('gone'), (now) => now === undefined)
    expect(await setsOf('gone')).toHaveLength(0)

    await create('left', { replicas: 1 })
    await untilServed('left', isDone(1))
    await cluster.client.delete(kinds.deployments, at('left'), { propagationPolicy: 'Orphan' })
    await cluster.until(kinds.deployments, at('left'), (now) => now === undefined)
    const [orphan] = await setsOf('left')
    expect(orphan?.metadata.ownerReferences).toBeUndefined()
    await create('left', { replicas: 1 })
    await untilServed('left', isDone(1))
    const [adopted, ...more] = await setsOf('left')
    expect(more).toHaveLength(0)
    expect(adopted?.metadata).toMatchObject({
      uid: orphan?.metadata.uid,
      ownerReferences: [{ kind: 'Deployment' }],
    })
  })

  it('takes another name for its replica set where that name is taken', async () => {
    await create('name', { replicas: 0 })
    await cluster.until(kinds.deployments, at('name'), (now) => now?.status?.observedGeneration === 1)
    const [set] = await setsOf('name')
    const taken = set?.metadata.name ?? ''
    await cluster.client.delete(kinds.deployments, at('name'), { propagationPolicy: 'Foreground' })
    await cluster.until(kinds.deployments, at('name'), (now) => now === undefined)
    const stranger = { matchLabels: { app: 'stranger' } }
    const template = {
      metadata: { labels: stranger.matchLabels },
      spec: { containers: [{ name: 'm', image: 'x' }] },
    }
    await cluster.client.create(
      kinds.replicaSets,
      { metadata: at(taken), spec: { replicas: 0, selector: stranger, template } },
      { namespace },
    )
    await create('name', { replicas: 0 })
    await cluster.until(
      kinds.deployments,
      at('name'),
      (now) => now?.status?.collisionCount === 1 && now.status.observedGeneration === 1,
    )
    const [other] = await setsOf('name')
    expect(other?.metadata.name).not.toBe(taken)
  })

  it('gives every replica set its share when it is scaled in the middle of a rollout', async () => {
    await create('share', {
      replicas: 10,
      strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    })
    await untilServed('share', isDone(10))
    await change('share', withImage('busybox:2'))
    const sizes = async () => (await setsOf('share')).map(({ spec }) => spec?.replicas)
    // None of the new pods runs: the rollout stops with 8 old ones and 5 new ones.
    await expect.poll(sizes, { timeout: 15_000 }).toEqual([8, 5])
    await change('share', { replicas: 15 })
    await expect.poll(sizes, { timeout: 15_000 }).toEqual([11, 7])
    const [old] = await setsOf('share')
    expect(old?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/desired-replicas': '15',
      'deployment.kubernetes.io/max-replicas': '18',
    })
    await untilServed('share', isDone(15, '2'))
    await expect.poll(sizes, { timeout: 15_000 }).toEqual([0, 15])
  })

  it('lets go a replica set that its selector no longer finds, and makes another', async () => {
    await create('loose', { replicas: 1 })
    await untilServed('loose', isDone(1))
    const [first] = await setsOf('loose')
    const name = first?.metadata.name ?? ''
    await cluster.client.patch(kinds.replicaSets, at(name), {
      type: 'merge',
      patch: { metadata: { labels: { app: 'other' } } } as never,
    })
    const free = await cluster.until(
      kinds.replicaSets,
      at(name),
      (now) => !now?.metadata.ownerReferences?.length,
    )
    expect(free?.spec?.replicas).toBe(1)
    const others = async () => (await setsOf('loose')).map(({ metadata }) => metadata.uid)
    await expect.poll(others, { timeout: 15_000 }).toHaveLength(1)
    expect(await others()).not.toContain(first?.metadata.uid)
  })
})
