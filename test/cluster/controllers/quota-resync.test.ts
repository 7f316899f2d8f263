import { afterAll, beforeAll, expect, test } from 'vitest'
import { startControllers } from '../../../src/cluster/controllers/index.ts'
import { resourceQuotaController } from '../../../src/cluster/controllers/resource-quota.ts'
import { kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'counted'
const at = { namespace, name: 'pods' }

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
})
afterAll(() => cluster.close())

test('what somebody else says in the status of a quota stays until all quotas are counted anew', async () => {
  const { client } = cluster
  const stop = new AbortController()
  const failures: unknown[] = []
  const counting = startControllers({
    clientFor: () => client,
    only: [resourceQuotaController],
    settings: { quotaResyncMs: 200 },
    signal: stop.signal,
    onError: (error) => failures.push(error),
    onFatal: (error) => failures.push(error),
  })
  await client.create(kinds.resourceQuotas, { metadata: at, spec: { hard: { pods: '5' } } }, { namespace })
  await cluster.until(kinds.resourceQuotas, at, (quota) => quota?.status?.used?.['pods'] === '0')
  const said = await client.patch(
    kinds.resourceQuotas,
    at,
    { type: 'merge', patch: { status: { hard: { pods: '9' } } } },
    { subresource: 'status' },
  )
  expect([said.spec?.hard, said.status?.hard]).toEqual([{ pods: '5' }, { pods: '9' }])
  const counted = await cluster.until(
    kinds.resourceQuotas,
    at,
    (quota) => quota?.status?.hard?.['pods'] === '5',
  )
  expect(counted?.status).toEqual({ hard: { pods: '5' }, used: { pods: '0' } })
  stop.abort()
  await counting.stopped
  expect(failures).toEqual([])
})
