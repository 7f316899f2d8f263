import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiOfKinds, startApi } from './cluster.ts'

let api: ApiOfKinds
const classes = '/apis/scheduling.k8s.io/v1/priorityclasses'

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

test('a priority class stays at generation 1 however it changes', async () => {
  const body = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'p' },
    value: 1,
  }
  const made = await api.send('POST', classes, body)
  expect(made.body).toMatchObject({ metadata: { generation: 1 } })
  const patched = await api.send(
    'PATCH',
    `${classes}/p`,
    { description: 'a', globalDefault: true },
    { type: 'application/merge-patch+json' },
  )
  expect(patched.body).toMatchObject({ metadata: { generation: 1 }, description: 'a' })
  const replaced = await api.send('PUT', `${classes}/p`, { ...body, metadata: { name: 'p', generation: 5 } })
  expect(replaced.body).toMatchObject({ metadata: { generation: 1 } })
})
