import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Job, type Persisted, kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'clock'
const at = (name: string) => ({ namespace, name })

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
})
afterAll(() => cluster.close())

describe('a cron job', () => {
  it('makes a job at its time, and keeps track of it until it ends', async () => {
    const jobTemplate = {
      metadata: { labels: { part: 'nightly' } },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } } },
    }
    await cluster.client.create(
      kinds.cronJobs,
      { metadata: at('every'), spec: { schedule: '@every 1s', concurrencyPolicy: 'Forbid', jobTemplate } },
      { namespace },
    )
    const running = await cluster.until(
      kinds.cronJobs,
      at('every'),
      (now) => now?.status?.active?.length === 1 && now.status.lastScheduleTime !== undefined,
    )
    const name = running?.status?.active?.[0]?.name ?? ''
    const job: Persisted<Job> = await cluster.client.get(kinds.jobs, at(name))
    expect(name).toMatch(/^every-\d+$/)
    expect(job.metadata).toMatchObject({
      labels: { part: 'nightly' },
      ownerReferences: [{ kind: 'CronJob', name: 'every', controller: true }],
    })
    expect(job.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']).toMatch(/^2\d{3}-/)
    await cluster.client.patch(kinds.cronJobs, at('every'), {
      type: 'merge',
      patch: { spec: { suspend: true } },
    })
    await cluster.client.delete(kinds.jobs, at(name), { propagationPolicy: 'Background' })
    await cluster.until(kinds.cronJobs, at('every'), (now) => (now?.status?.active ?? []).length === 0)
  })
})

describe('a disruption budget', () => {
  it('counts the pods it covers', async () => {
    const labels = { app: 'db' }
    for (const name of ['one', 'two']) {
      await cluster.client.create(
        kinds.pods,
        {
          metadata: { ...at(name), labels, finalizers: ['example.com/watched'] },
          spec: { containers: [{ name: 'c', image: 'busybox' }] },
        },
        { namespace },
      )
      await cluster.client.patch(
        kinds.pods,
        at(name),
        {
          type: 'strategic',
          patch: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
        },
        { subresource: 'status' },
      )
    }
    await cluster.client.create(
      kinds.podDisruptionBudgets,
      { metadata: at('db'), spec: { minAvailable: 1, selector: { matchLabels: labels } } },
      { namespace },
    )
    const budget = await cluster.until(
      kinds.podDisruptionBudgets,
      at('db'),
      (now) => now?.status?.disruptionsAllowed === 1,
    )
    expect(budget?.status).toMatchObject({ currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 })
    const eviction = (name: string, deleteOptions: { preconditions?: { uid: string } } = {}) =>
      cluster.client.createSub(kinds.pods, at(name), 'eviction', {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: at(name),
        deleteOptions,
      })
    const evicted = await cluster.client.get(kinds.pods, at('one'))
    await eviction('one', { preconditions: { uid: evicted.metadata.uid } })
    const gone = await cluster.client.get(kinds.pods, at('one'))
    expect(gone.metadata.deletionTimestamp).toBeDefined()
    expect(gone.status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      }),
    )
    await expect(eviction('one', { preconditions: { uid: 'another' } })).rejects.toMatchObject({ code: 409 })
    await expect(eviction('two')).rejects.toMatchObject({ code: 429 })
  })
})

describe('a secret for a service account', () => {
  it('gets a token, and goes with its account', async () => {
    await cluster.client.create(kinds.serviceAccounts, { metadata: at('bob') }, { namespace })
    const annotations = { 'kubernetes.io/service-account.name': 'bob' }
    const secret = {
      type: 'kubernetes.io/service-account-token',
      metadata: { ...at('bob-token'), annotations },
    }
    await cluster.client.create(kinds.secrets, secret, { namespace })
    const filled = await cluster.until(
      kinds.secrets,
      at('bob-token'),
      (now) => now?.data?.['token'] !== undefined,
    )
    expect(Object.keys(filled?.data ?? {}).sort()).toEqual(['ca.crt', 'namespace', 'token'])
    await cluster.client.delete(kinds.serviceAccounts, at('bob'))
    await cluster.until(kinds.secrets, at('bob-token'), (now) => now === undefined)
  })
})
