import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type CoreEvent,
  kinds,
  type Persisted,
  type Pod,
  type PodStatus,
  type ResourceQuota,
  type RunPolicy,
  type TFJob,
} from '../../src/kube/index.ts'
import { replicas } from './jobs.ts'
import { namespace, type SmallCluster, startSmallCluster } from './small-cluster.ts'

const gpu = 'requests.nvidia.com/gpu'
let cluster: SmallCluster

beforeEach(async () => {
  cluster = await startSmallCluster()
})
afterEach(async () => {
  await cluster.close()
  expect(cluster.complaints).toEqual([])
})

function submit(
  name: string,
  roles: TFJob['spec']['tfReplicaSpecs'],
  runPolicy: RunPolicy = {},
): Promise<Persisted<TFJob>> {
  const job: TFJob = {
    apiVersion: 'kubeflow.org/v1',
    kind: 'TFJob',
    metadata: { name, namespace },
    spec: { runPolicy, tfReplicaSpecs: roles },
  }
  return cluster.client.create(kinds.tfJobs, job, { namespace })
}

function podThere(name: string): Promise<Persisted<Pod>> {
  return cluster.until(kinds.pods, name, (pod) => !pod.metadata.deletionTimestamp)
}

/** What a node would report of the pod. */
async function report(name: string, status: PodStatus): Promise<void> {
  await podThere(name)
  await cluster.client.patch(
    kinds.pods,
    { namespace, name },
    { type: 'merge', patch: { status: { ...status } as never } },
    { subresource: 'status' },
  )
}

function ended(exitCode: number): PodStatus {
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [
      {
        name: 'tensorflow',
        image: 'tf',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode } },
      },
    ],
  }
}

function condition(name: string, type: string, reason?: string): Promise<Persisted<TFJob>> {
  return cluster.until(
    kinds.tfJobs,
    name,
    (job) =>
      job.status?.conditions?.some(
        (one) =>
          one.type === type && one.status === 'True' && (reason === undefined || one.reason === reason),
      ) ?? false,
  )
}

async function setQuota(hard: Record<string, string>): Promise<void> {
  const quota: ResourceQuota = { metadata: { name: 'compute', namespace }, spec: { hard } }
  await cluster.client.create(kinds.resourceQuotas, quota, { namespace })
  await cluster.until(
    kinds.resourceQuotas,
    'compute',
    (one) => one.status?.hard?.[Object.keys(hard)[0] ?? ''] !== undefined,
  )
}

/** The first event about a job with that reason. */
function event(job: string, reason: string): Promise<CoreEvent> {
  return cluster.find(kinds.events, (one) => one.involvedObject.name === job && one.reason === reason)
}

async function podNames(): Promise<string[]> {
  const { items } = await cluster.client.list(kinds.pods, { namespace })
  return items.map((pod) => pod.metadata.name).sort()
}

test('a distributed job runs from its pods and services to success', async () => {
  await submit('mnist', { PS: replicas(1), Worker: replicas(2) }, { cleanPodPolicy: 'Running' })
  await condition('mnist', 'Created')
  const worker = await podThere('mnist-worker-1')
  expect(worker.spec?.containers[0]?.env?.[0]?.value).toContain('"task":{"type":"worker","index":1}')
  const service = await cluster.client.get(kinds.services, { namespace, name: 'mnist-worker-1' })
  expect(service.spec?.clusterIP).toBe('None')
  for (const name of ['mnist-ps-0', 'mnist-worker-0', 'mnist-worker-1'])
    await report(name, { phase: 'Running' })
  const running = await cluster.until(
    kinds.tfJobs,
    'mnist',
    (job) => job.status?.replicaStatuses?.Worker?.active === 2,
  )
  expect(running.status?.startTime).toBeDefined()
  expect(running.status?.conditions?.at(-1)).toMatchObject({ type: 'Running', reason: 'TFJobRunning' })
  await report('mnist-worker-1', ended(0))
  await report('mnist-worker-0', ended(0))
  const succeeded = await condition('mnist', 'Succeeded')
  expect(succeeded.status?.completionTime).toBeDefined()
  await cluster.untilGone(kinds.pods, 'mnist-ps-0')
  expect(await podNames()).toEqual(['mnist-worker-0', 'mnist-worker-1'])
  expect((await event('mnist', 'SuccessfulCreatePod')).message).toMatch(/^Created pod: mnist-/)
  expect((await event('mnist', 'TFJobSucceeded')).source?.component).toBe('tfjob-controller')
})

test('a job over quota waits whole, says why, and starts by itself when another ends', async () => {
  await setQuota({ [gpu]: '2' })
  await submit('first', { Worker: replicas(1, { gpus: 1 }) })
  await report('first-worker-0', { phase: 'Running' })
  await submit('second', { Worker: replicas(2, { gpus: 1 }) })
  const refused = await event('second', 'FailedCreatePod')
  expect(refused).toMatchObject({
    type: 'Warning',
    message: `Error creating: pods "second-worker-0" is forbidden: exceeded quota: compute, requested: ${gpu}=2, used: ${gpu}=1, limited: ${gpu}=2`,
  })
  const waiting = await condition('second', 'Created')
  expect(waiting.status?.conditions).toHaveLength(1)
  expect(waiting.status?.startTime).toBeUndefined()
  expect(await podNames()).toEqual(['first-worker-0'])
  await report('first-worker-0', ended(0))
  await podThere('second-worker-0')
  await podThere('second-worker-1')
})

test('a small late job does not take what a big early one waits for', async () => {
  await setQuota({ [gpu]: '2' })
  await submit('runs', { Worker: replicas(1, { gpus: 1 }) })
  await podThere('runs-worker-0')
  await submit('big', { Worker: replicas(1, { gpus: 2 }) })
  await event('big', 'FailedCreatePod')
  await submit('small', { Worker: replicas(1, { gpus: 1 }) })
  expect((await event('small', 'Queued')).message).toContain('waits behind TFJob big')
  await report('runs-worker-0', ended(0))
  await podThere('big-worker-0')
  expect(await podNames()).not.toContain('small-worker-0')
  await report('big-worker-0', ended(0))
  await podThere('small-worker-0')
})

test('a raised quota lets the waiting job start', async () => {
  await setQuota({ [gpu]: '0' })
  await submit('mnist', { Worker: replicas(1, { gpus: 1 }) })
  await event('mnist', 'FailedCreatePod')
  await cluster.client.patch(
    kinds.resourceQuotas,
    { namespace, name: 'compute' },
    { type: 'merge', patch: { spec: { hard: { [gpu]: '1' } } } },
  )
  await podThere('mnist-worker-0')
})

test('when the server refuses one pod of a job the others are taken back', async () => {
  await cluster.client.create(
    kinds.limitRanges,
    {
      metadata: { name: 'most', namespace },
      spec: { limits: [{ type: 'Container', max: { 'nvidia.com/gpu': '1' } }] },
    },
    { namespace },
  )
  await submit('mixed', { Chief: replicas(1, { gpus: 1 }), Worker: replicas(1, { gpus: 2 }) })
  const refused = await event('mixed', 'FailedCreatePod')
  expect(refused.message).toContain(
    'Error creating: pods "mixed-worker-0" is forbidden: maximum nvidia.com/gpu',
  )
  await cluster.untilGone(kinds.pods, 'mixed-chief-0')
  expect((await condition('mixed', 'Created')).status?.startTime).toBeUndefined()
})

test('a killed worker is made anew and counted; at the back-off limit the job ends', async () => {
  await submit('mnist', { Worker: replicas(1, { restartPolicy: 'ExitCode' }) }, { backoffLimit: 1 })
  const first = await podThere('mnist-worker-0')
  await report('mnist-worker-0', { phase: 'Running' })
  await condition('mnist', 'Running')
  await report('mnist-worker-0', ended(137))
  const second = await cluster.until(
    kinds.pods,
    'mnist-worker-0',
    (pod) => pod.metadata.uid !== first.metadata.uid,
  )
  expect(second.metadata.deletionTimestamp).toBeUndefined()
  const counted = await cluster.client.get(kinds.tfJobs, { namespace, name: 'mnist' })
  expect(counted.metadata.annotations?.['arena.kubeflow.org/pod-restarts']).toBe('1')
  await report('mnist-worker-0', ended(137))
  const failed = await condition('mnist', 'Failed')
  expect(failed.status?.conditions?.at(-1)?.message).toContain('backoff limit')
})

test('suspended, a job gives its pods and services back; resumed, it gets new ones', async () => {
  await submit('mnist', { Worker: replicas(1) })
  await report('mnist-worker-0', { phase: 'Running' })
  await condition('mnist', 'Running')
  const suspend = (value: boolean): Promise<unknown> =>
    cluster.client.patch(
      kinds.tfJobs,
      { namespace, name: 'mnist' },
      { type: 'merge', patch: { spec: { runPolicy: { suspend: value } } } },
    )
  await suspend(true)
  await condition('mnist', 'Suspended')
  await cluster.untilGone(kinds.pods, 'mnist-worker-0')
  await suspend(false)
  await report('mnist-worker-0', { phase: 'Running' })
  const resumed = await condition('mnist', 'Running')
  expect(resumed.status?.conditions).toContainEqual(
    expect.objectContaining({ type: 'Suspended', status: 'False', reason: 'TFJobResumed' }),
  )
})

test('a job past its time to live is removed with its pods', async () => {
  await submit('mnist', { Worker: replicas(1) }, { ttlSecondsAfterFinished: 0 })
  await report('mnist-worker-0', ended(0))
  await cluster.untilGone(kinds.tfJobs, 'mnist')
  await cluster.untilGone(kinds.pods, 'mnist-worker-0')
})

test('a job longer at work than its deadline fails', async () => {
  await submit('mnist', { Worker: replicas(1) }, { activeDeadlineSeconds: 1 })
  await report('mnist-worker-0', { phase: 'Running' })
  const failed = await condition('mnist', 'Failed')
  expect(failed.status?.conditions?.at(-1)?.message).toContain('longer than specified deadline')
  await cluster.untilGone(kinds.pods, 'mnist-worker-0')
})
