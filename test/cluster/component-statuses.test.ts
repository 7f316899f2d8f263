import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiOfKinds, startApi, tableOf } from './http/kinds/cluster.ts'

let api: ApiOfKinds
beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

test('the parts of the control plane are well, and the answer warns that nobody should ask this way', async () => {
  const { status, body, warning } = await api.send('GET', '/api/v1/componentstatuses')
  expect(status).toBe(200)
  expect(warning).toContain('v1 ComponentStatus is deprecated in v1.19+')
  expect(body).toMatchObject({
    kind: 'ComponentStatusList',
    items: ['controller-manager', 'etcd-0', 'scheduler'].map((name) => ({
      metadata: { name },
      conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
    })),
  })
  expect(await tableOf(api, '/api/v1/componentstatuses/scheduler')).toEqual({
    columns: ['Name', 'Status', 'Message', 'Error'],
    cells: ['scheduler', 'Healthy', 'ok', ''],
  })
  const absent = await api.send('GET', '/api/v1/componentstatuses/kubelet')
  expect([absent.status, absent.body['message']]).toEqual([404, 'componentstatuses "kubelet" not found'])
})
