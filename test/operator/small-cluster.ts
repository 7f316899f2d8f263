import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startCluster, usualConfig } from '../../src/cluster/index.ts'
import {
  isStatus,
  type KubeClient,
  keyOf,
  kinds,
  listWatch,
  type Persisted,
  type ResourceType,
} from '../../src/kube/index.ts'

/** The embedded cluster, in which the operator works under its own rights, without nodes: the test plays them. */
export interface SmallCluster {
  /** May do everything. */
  readonly client: KubeClient
  /** What the operator complained of. */
  readonly complaints: string[]
  /** The first state of an object that satisfies the test. */
  until<T>(
    type: ResourceType<T>,
    name: string,
    test: (object: Persisted<T>) => boolean,
  ): Promise<Persisted<T>>
  /** The first object of the namespace that satisfies the test. */
  find<T>(type: ResourceType<T>, test: (object: Persisted<T>) => boolean): Promise<Persisted<T>>
  untilGone(type: ResourceType<unknown>, name: string): Promise<void>
  close(): Promise<void>
}

export const namespace = 'dev1'

export async function startSmallCluster(): Promise<SmallCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'operator-'))
  const complaints: string[] = []
  const running = await startCluster({
    dataDir,
    config: { ...usualConfig, nodes: [] },
    log: (line) => {
      if (line.startsWith('operator')) complaints.push(line)
    },
  })
  const client = running.clientAs({ name: 'root', groups: ['system:masters'] })
  const stopping = new AbortController()

  /** Follows objects, by key, until the test gives something. */
  async function follow<T, R>(
    type: ResourceType<T>,
    test: (objects: ReadonlyMap<string, Persisted<T>>) => R | undefined,
  ): Promise<R> {
    const found = new AbortController()
    const signal = AbortSignal.any([stopping.signal, found.signal])
    const cache = new Map<string, Persisted<T>>()
    try {
      for await (const _ of listWatch(client, type, { signal, cache })) {
        const result = test(cache)
        if (result !== undefined) return result
      }
    } finally {
      found.abort()
    }
    throw new Error(`the cluster was stopped while waiting for ${type.plural}`)
  }

  const cluster: SmallCluster = {
    client,
    complaints,
    until: (type, name, test) =>
      follow(type, (objects) => {
        const object = objects.get(keyIn(type, name))
        return object && test(object) ? object : undefined
      }),
    find: (type, test) => follow(type, (objects) => [...objects.values()].find(test)),
    async untilGone(type, name) {
      try {
        await client.get(type, { name, ...(type.namespaced && { namespace }) })
      } catch (error) {
        if (isStatus(error, 'NotFound')) return
        throw error
      }
      // The first changes are the list itself: absence counts only once all of it was seen.
      let wasThere = false
      await follow(type, (objects) => {
        const isThere = objects.has(keyIn(type, name))
        wasThere ||= isThere
        return wasThere && !isThere ? true : undefined
      })
    },
    async close() {
      stopping.abort()
      await running.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  await client.create(kinds.namespaces, { metadata: { name: namespace } })
  await cluster.until(kinds.serviceAccounts, 'default', () => true)
  // The kinds of jobs are served a moment after the start.
  complaints.length = 0
  return cluster
}

function keyIn(type: ResourceType<unknown>, name: string): string {
  return keyOf({ metadata: { name, ...(type.namespaced && { namespace }) } })
}
