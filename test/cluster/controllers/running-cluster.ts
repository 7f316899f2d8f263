import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'
import {
  type KubeClient,
  kinds,
  type ObjectName,
  type Persisted,
  type ResourceType,
} from '../../../src/kube/index.ts'

/** A cluster without nodes of its own, and a client with all rights. */
export interface RunningCluster {
  readonly client: KubeClient
  /** Makes a namespace in which pods can be created: its default account is there. */
  namespace(name: string): Promise<void>
  /** Waits until the object is as the test wants it, or is gone when nothing is wanted. */
  until<T>(
    type: ResourceType<T>,
    at: ObjectName,
    wanted: (object: Persisted<T> | undefined) => boolean,
  ): Promise<Persisted<T> | undefined>
  close(): Promise<void>
}

export async function runCluster(): Promise<RunningCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'arena-controllers-'))
  const cluster: Cluster = await startCluster({
    dataDir,
    config: { ...usualConfig, nodes: [] },
    log: () => undefined,
  })
  const client = cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
  return {
    client,
    async namespace(name) {
      await client.create(kinds.namespaces, { metadata: { name } })
      const account = { namespace: name, name: 'default' }
      await until(client, kinds.serviceAccounts, account, (made) => made !== undefined)
    },
    until: (type, at, wanted) => until(client, type, at, wanted),
    async close() {
      await cluster.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function until<T>(
  client: KubeClient,
  type: ResourceType<T>,
  at: ObjectName,
  wanted: (object: Persisted<T> | undefined) => boolean,
): Promise<Persisted<T> | undefined> {
  const where = {
    fieldSelector: `metadata.name=${at.name}`,
    ...(at.namespace && { namespace: at.namespace }),
  }
  const list = await client.list(type, where)
  let current = list.items[0]
  if (wanted(current)) return current
  const signal = AbortSignal.timeout(20_000)
  const resourceVersion = list.metadata.resourceVersion ?? '0'
  for await (const event of client.watch(type, { ...where, resourceVersion, signal })) {
    if (event.type === 'BOOKMARK') continue
    current = event.type === 'DELETED' ? undefined : event.object
    if (wanted(current)) return current
  }
  throw new Error(`${type.kind} "${at.name}" never became what was wanted; it is ${JSON.stringify(current)}`)
}
