import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../../src/cluster/index.ts'
import { configuration, group, webhook } from './server.ts'

let dataDir: string
let cluster: Cluster | undefined
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-restart-'))
})
afterEach(async () => {
  await cluster?.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function start(
  log: string[],
): Promise<(method: string, path: string, body?: object) => Promise<number>> {
  const nodes = [{ name: 'w1', capacity: { cpu: '4' }, role: 'worker' as const, labels: {} }]
  const config = { ...usualConfig, runtime: 'simulated' as const, nodes }
  cluster = await startCluster({ dataDir, config, log: (line) => log.push(line) })
  const client = cluster.clientAs({ name: 'admin', groups: ['system:masters'] })
  return async (method, path, body) => {
    const headers = { 'content-type': 'application/json' }
    const sent = await client.raw({ method, path, headers, ...(body && { body: JSON.stringify(body) }) })
    return sent.status
  }
}

test('a webhook in the way of everything keeps no cluster from starting, and can be removed', async () => {
  const first = await start([])
  const all = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }
  const trap = webhook('trap.hooks.example', { url: 'https://127.0.0.1:1' }, { rules: [all] })
  const path = `${group}/validatingwebhookconfigurations`
  expect(await first('POST', path, configuration('Validating', 'trap', trap))).toBe(201)
  await cluster?.close()
  const log: string[] = []
  const again = await start(log)
  expect(log.join('\n')).toContain('node agent: Internal error occurred: failed calling webhook')
  const maps = '/api/v1/namespaces/default/configmaps'
  expect(await again('POST', maps, { metadata: { name: 'm' } })).toBe(500)
  expect(await again('DELETE', `${path}/trap`)).toBe(200)
  expect(await again('POST', maps, { metadata: { name: 'm' } })).toBe(201)
})
