import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commands } from '../../src/cli/commands/table.ts'
import { type Cluster, startCluster, usualConfig } from '../../src/cluster/index.ts'
import {
  connectionOf,
  createKubeClient,
  type KubeClient,
  listWatch,
  openHttpsTransport,
  type Persisted,
  readKubeconfig,
  type ResourceType,
} from '../../src/kube/index.ts'
import { type Ran, run } from '../cli/world.ts'

const organisation = `
organisation: department1
users: { bob: { uid: 20001 }, tom: { uid: 20002 }, ann: { uid: 20003 } }
groups:
  dev1: { gid: 10001, quota: { gpu: 1 }, members: { bob: member, ann: viewer } }
  dev2: { gid: 10002, quota: { gpu: 2, cpu: 8, memory: 60Gi }, members: { tom: member } }
volumes:
  dev1-public: { size: 1Gi, access: { dev1: write }, source: { nfs: { server: nas.example, path: /dev1 } } }
  everybody: { size: 1Gi, access: { dev1: read, dev2: write }, source: { nfs: { server: nas.example, path: /all } } }
`

export type Person = 'admin' | 'bob' | 'tom' | 'ann'

/** The guide's company on the embedded cluster, whose containers are played: nothing of them runs. */
export interface Company {
  /** Runs a command line as somebody. */
  as(person: Person, words: readonly string[], options?: { signal?: AbortSignal }): Promise<Ran>
  /** May do everything. */
  readonly client: KubeClient
  /** The first state of an object, of that name if there is one, that satisfies the test. */
  until<T>(
    type: ResourceType<T>,
    at: { namespace: string; name?: string },
    test: (object: Persisted<T>) => boolean,
  ): Promise<Persisted<T>>
  close(): Promise<void>
}

export async function openCompany(): Promise<Company> {
  const directory = await mkdtemp(join(tmpdir(), 'arena-jobs-'))
  const worker = { role: 'worker' as const, labels: {}, runtime: 'simulated' as const }
  const cluster: Cluster = await startCluster({
    dataDir: join(directory, 'data'),
    config: {
      ...usualConfig,
      runtime: 'simulated',
      nodes: [
        { ...worker, name: 'client01', role: 'control-plane', capacity: { cpu: '2', memory: '8Gi' } },
        ...['worker01', 'worker02', 'worker03'].map((name) => ({
          ...worker,
          name,
          capacity: { cpu: '4', memory: '30Gi', 'nvidia.com/gpu': '1' },
        })),
      ],
    },
    log: () => undefined,
  })
  const environmentOf = (person: Person): Record<string, string> => ({
    HOME: join(directory, person),
    PATH: process.env['PATH'] ?? '',
    KUBECONFIG: person === 'admin' ? cluster.adminKubeconfig : join(directory, `${person}.config`),
  })
  const as: Company['as'] = (person, words, options = {}) =>
    run(words, commands, {
      environment: environmentOf(person),
      now: new Date(),
      ...(options.signal && { signal: options.signal }),
    })
  const succeed = async (words: readonly string[]): Promise<void> => {
    const { status, err } = await as('admin', words)
    if (status !== 0) throw new Error(`arena ${words.join(' ')}: ${err}`)
  }
  await writeFile(join(directory, 'org.yaml'), organisation)
  await succeed(['org', 'apply', '-f', join(directory, 'org.yaml'), '--yes'])
  for (const person of ['bob', 'tom', 'ann']) {
    await succeed(['user', 'kubeconfig', person, '-o', join(directory, `${person}.config`)])
  }
  const environment = environmentOf('admin')
  const connection = await connectionOf(await readKubeconfig({ environment }), { environment })
  const opened = await openHttpsTransport(connection)
  const client = createKubeClient(opened.transport)
  const stopping = new AbortController()
  return {
    as,
    client,
    async until(type, { namespace, name }, test) {
      const found = new AbortController()
      const signal = AbortSignal.any([stopping.signal, found.signal])
      try {
        for await (const change of listWatch(client, type, {
          namespace,
          ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
          signal,
        })) {
          if (change.type !== 'SYNCED' && change.type !== 'DELETED' && test(change.object))
            return change.object
        }
      } finally {
        found.abort()
      }
      throw new Error(`the cluster was stopped while waiting for ${name ?? type.plural}`)
    },
    async close() {
      stopping.abort()
      opened.close()
      await cluster.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
