import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Job, type Persisted, type Pod, kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'jobs'

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
})
afterAll(() => cluster.close())

const at = (name: string) => ({ namespace, name })

function create(name: string, spec: object = {}, pod: object = {}): Promise<Persisted<Job>> {
  const template = {
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'm', image: 'busybox', command: ['true'] }],
      ...pod,
    },
  }
  return cluster.client.create(kinds.jobs, { metadata: at(name), spec: { template, ...spec } }, { namespace })
}

/** Pods of the job as soon as there are so many of them that pass. */
async function pods(job: string, count: number, passes: (pod: Persisted<Pod>) => boolean = () => true) {
  const selector = { namespace, labelSelector: `batch.kubernetes.io/job-name=${job}` }
  const found = async () => (await cluster.client.list(kinds.pods, selector)).items.filter(passes)
  const list = await cluster.client.list(kinds.pods, selector)
  if (list.items.filter(passes).length >= count) return list.items.filter(passes)
  const signal = AbortSignal.timeout(20_000)
  const resourceVersion = list.metadata.resourceVersion ?? '0'
  for await (const event of cluster.client.watch(kinds.pods, { ...selector, resourceVersion, signal })) {
    if (event.type === 'BOOKMARK') continue
    const now = await found()
    if (now.length >= count) return now
  }
  throw new Error(`job "${job}" never had ${count} such pods`)
}

async function end(pod: Persisted<Pod>, exitCode: number): Promise<void> {
  const state = {
    terminated: { exitCode, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z' },
  }
  const containerStatuses = [
    { name: 'm', image: 'busybox', imageID: 'x', ready: false, restartCount: 0, state },
  ]
  await cluster.client.patch(
    kinds.pods,
    at(pod.metadata.name),
    {
      type: 'strategic',
      patch: { status: { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses } },
    },
    { subresource: 'status' },
  )
}

const condition = (job: Persisted<Job> | undefined, type: string) =>
  (job?.status?.conditions ?? []).find((one) => one.type === type && one.status === 'True')
const ended = (name: string, type: string) =>
  cluster.until(kinds.jobs, at(name), (job) => condition(job, type) !== undefined)

describe('a job', () => {
  it('counts each of its pods once and completes', async () => {
    await create('three', { completions: 3, parallelism: 2 })
    for (const pod of await pods('three', 2)) await end(pod, 0)
    const [third] = await pods('three', 1, (pod) => pod.status?.phase === 'Pending')
    if (third === undefined) throw new Error('no third pod')
    await end(third, 0)
    const job = await ended('three', 'Complete')
    expect(job?.status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} })
    expect(job?.status?.active).toBeUndefined()
    expect(job?.status?.conditions?.map(({ type }) => type)).toEqual(['SuccessCriteriaMet', 'Complete'])
    for (const pod of await pods('three', 3)) expect(pod.metadata.finalizers).toBeUndefined()
  })

  it('fails when its pods failed too often', async () => {
    await create('hopeless', { backoffLimit: 0 })
    const [pod] = await pods('hopeless', 1)
    if (pod === undefined) throw new Error('no pod')
    await end(pod, 1)
    const job = await ended('hopeless', 'Failed')
    expect(job?.status?.failed).toBe(1)
    expect(condition(job, 'Failed')).toMatchObject({
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    })
  })

  it('fails at once where its failure policy says so, and leaves disruptions out of account', async () => {
    const podFailurePolicy = {
      rules: [
        { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ],
    }
    await create('strict', { backoffLimit: 6, podFailurePolicy })
    const [pod] = await pods('strict', 1)
    if (pod === undefined) throw new Error('no pod')
    await end(pod, 42)
    const job = await ended('strict', 'Failed')
    expect(condition(job, 'Failed')).toMatchObject({
      reason: 'PodFailurePolicy',
      message: `Container m for pod jobs/${pod.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
    })
  })

  it('gives every pod its index, and takes note of the indexes that are done', async () => {
    await create('indexed', { completions: 3, parallelism: 3, completionMode: 'Indexed' })
    const all = await pods('indexed', 3)
    const index = (pod: Persisted<Pod>) =>
      pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index']
    expect(all.map(index).sort()).toEqual(['0', '1', '2'])
    expect(all.map((pod) => pod.spec?.hostname).sort()).toEqual(['indexed-0', 'indexed-1', 'indexed-2'])
    for (const pod of all.filter((one) => index(one) !== '1')) await end(pod, 0)
    await cluster.until(kinds.jobs, at('indexed'), (job) => job?.status?.completedIndexes === '0,2')
  })

  it('succeeds early where its success policy is met, and stops the rest', async () => {
    const successPolicy = { rules: [{ succeededIndexes: '0' }] }
    await create('leader', { completions: 2, parallelism: 2, completionMode: 'Indexed', successPolicy })
    const all = await pods('leader', 2)
    const leader = all.find((pod) => pod.spec?.hostname === 'leader-0')
    if (leader === undefined) throw new Error('no leader')
    await end(leader, 0)
    const job = await ended('leader', 'Complete')
    expect(condition(job, 'Complete')).toMatchObject({
      reason: 'SuccessPolicy',
      message: 'Matched rules at index 0',
    })
  })

  it('fails single indexes and goes on with the others', async () => {
    const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 0 }
    await create('partly', spec)
    for (const pod of await pods('partly', 2)) await end(pod, pod.spec?.hostname === 'partly-0' ? 1 : 0)
    const job = await ended('partly', 'Failed')
    expect(condition(job, 'Failed')).toMatchObject({
      reason: 'FailedIndexes',
      message: 'Job has failed indexes',
    })
    expect(job?.status).toMatchObject({ failedIndexes: '0', completedIndexes: '1' })
  })

  it('takes pods that fit its selector and that nobody has, and lets go of those that no longer fit', async () => {
    const job = await create('foster')
    const [pod] = await pods('foster', 1)
    if (pod === undefined) throw new Error('no pod')
    const patch = (metadata: Record<string, null>) =>
      cluster.client.patch(kinds.pods, at(pod.metadata.name), { type: 'merge', patch: { metadata } })
    const controller = (one: Persisted<Pod> | undefined) =>
      one?.metadata.ownerReferences?.find((owner) => owner.controller)
    await patch({ ownerReferences: null, finalizers: null })
    const adopted = await cluster.until(
      kinds.pods,
      at(pod.metadata.name),
      (one) => controller(one) !== undefined,
    )
    expect(controller(adopted)).toMatchObject({ kind: 'Job', name: 'foster', uid: job.metadata.uid })
    expect(adopted?.metadata.finalizers).toEqual(['batch.kubernetes.io/job-tracking'])
    await patch({ labels: null })
    const released = await cluster.until(
      kinds.pods,
      at(pod.metadata.name),
      (one) => controller(one) === undefined,
    )
    expect(released?.metadata.finalizers).toBeUndefined()
    const [next] = await pods('foster', 1)
    expect(next?.metadata.name).not.toBe(pod.metadata.name)
  })

  it('takes its pods away while it is suspended', async () => {
    await create('paused', { parallelism: 2, completions: 2 })
    await pods('paused', 2)
    await cluster.client.patch(kinds.jobs, at('paused'), {
      type: 'merge',
      patch: { spec: { suspend: true } },
    })
    const job = await ended('paused', 'Suspended')
    expect(job?.status?.active).toBeUndefined()
    expect(job?.status?.startTime).toBeUndefined()
  })

  it('is given up when it takes too long', async () => {
    await create('slow', { activeDeadlineSeconds: 1 })
    const job = await ended('slow', 'Failed')
    expect(condition(job, 'Failed')).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Job was active longer than specified deadline',
    })
  })

  it('is removed with its pods when its time after the end is over', async () => {
    await create('fleeting', { ttlSecondsAfterFinished: 0 })
    const [pod] = await pods('fleeting', 1)
    if (pod === undefined) throw new Error('no pod')
    await end(pod, 0)
    await cluster.until(kinds.jobs, at('fleeting'), (job) => job === undefined)
    await cluster.until(kinds.pods, at(pod.metadata.name), (now) => now === undefined)
  })

  it('starts by itself when the quota that held it back has room', async () => {
    await cluster.client.create(kinds.namespaces, { metadata: { name: 'tight' } })
    await cluster.until(
      kinds.serviceAccounts,
      { namespace: 'tight', name: 'default' },
      (one) => one !== undefined,
    )
    const quota = { metadata: { name: 'q', namespace: 'tight' }, spec: { hard: { pods: '0' } } }
    await cluster.client.create(kinds.resourceQuotas, quota, { namespace: 'tight' })
    await cluster.until(
      kinds.resourceQuotas,
      { namespace: 'tight', name: 'q' },
      (one) => one?.status?.used !== undefined,
    )
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image: 'busybox' }] } }
    await cluster.client.create(
      kinds.jobs,
      { metadata: { name: 'held', namespace: 'tight' }, spec: { template } },
      { namespace: 'tight' },
    )
    await cluster.until(
      kinds.jobs,
      { namespace: 'tight', name: 'held' },
      (job) => job?.status?.startTime !== undefined,
    )
    await cluster.client.patch(
      kinds.resourceQuotas,
      { namespace: 'tight', name: 'q' },
      { type: 'merge', patch: { spec: { hard: { pods: '1' } } } },
    )
    await cluster.until(kinds.jobs, { namespace: 'tight', name: 'held' }, (job) => job?.status?.active === 1)
  })
})

describe('a service', () => {
  it('has the addresses of its ready pods in endpoints and slices', async () => {
    const spec = { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] }
    await cluster.client.create(kinds.services, { metadata: at('web'), spec }, { namespace })
    const pod = {
      metadata: { ...at('web-1'), labels: { app: 'web' } },
      spec: { hostname: 'one', subdomain: 'web', containers: [{ name: 'c', image: 'busybox' }] },
    }
    await cluster.client.create(kinds.pods, pod, { namespace })
    const status = (ready: string) => ({
      phase: 'Running',
      podIP: '10.0.0.7',
      podIPs: [{ ip: '10.0.0.7' }],
      conditions: [{ type: 'Ready', status: ready }],
    })
    const setStatus = (ready: string) =>
      cluster.client.patch(
        kinds.pods,
        at('web-1'),
        { type: 'strategic', patch: { status: status(ready) } },
        { subresource: 'status' },
      )
    await setStatus('False')
    await cluster.until(
      kinds.endpoints,
      at('web'),
      (one) => one?.subsets?.[0]?.notReadyAddresses?.[0]?.ip === '10.0.0.7',
    )
    await setStatus('True')
    const endpoints = await cluster.until(
      kinds.endpoints,
      at('web'),
      (one) => one?.subsets?.[0]?.addresses?.[0]?.ip === '10.0.0.7',
    )
    expect(endpoints?.subsets?.[0]).toMatchObject({
      addresses: [{ hostname: 'one', targetRef: { kind: 'Pod', name: 'web-1' } }],
      ports: [{ port: 80, protocol: 'TCP' }],
    })
    const slices = await cluster.client.list(kinds.endpointSlices, {
      namespace,
      labelSelector: 'kubernetes.io/service-name=web',
    })
    expect(slices.items).toHaveLength(1)
    const [slice] = slices.items
    if (slice === undefined) throw new Error('no slice')
    await cluster.until(
      kinds.endpointSlices,
      at(slice.metadata.name),
      (one) => one?.endpoints[0]?.conditions?.ready === true,
    )
  })
})
