import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, startApi } from './http/kinds/cluster.ts'

const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'

let api: ApiOfKinds
beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

test('other servers find out which authority client certificates are trusted by here', async () => {
  await vi.waitFor(async () => {
    const { status, body } = await api.send('GET', path)
    expect(status).toBe(200)
    const { 'client-ca-file': authority = '' } = body['data'] as Record<string, string>
    expect(new X509Certificate(authority).ca).toBe(true)
  })
})
