import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'
import {
  type AgentNode,
  type Clock,
  type NodeAgent,
  type NodeAgentOptions,
  ProcessRuntime,
  type ProcessRuntimeOptions,
  startNodeAgent,
} from '../../../src/cluster/runtime/index.ts'
import { isStatus, type KubeClient, kinds, type Persisted, type Pod } from '../../../src/kube/index.ts'

/** The user and group of pods that are not about whose they are. */
export const unprivileged = { runAsUser: 20001, runAsGroup: 10001 }

/** The spec of a pod whose only container runs a shell script once. */
export function shell(script: string, more: object = {}): object {
  return {
    restartPolicy: 'Never',
    securityContext: unprivileged,
    terminationGracePeriodSeconds: 5,
    containers: [
      { name: 'main', image: 'tensorflow/tensorflow:1.5.0', command: ['sh', '-c', script], ...more },
    ],
  }
}

export interface AgentFixtureOptions {
  readonly nodes?: (fixture: AgentFixture) => readonly AgentNode[]
  readonly clock?: Clock
  readonly process?: Partial<ProcessRuntimeOptions>
  readonly agent?: Partial<NodeAgentOptions>
}

/** A real API server without nodes of its own, and an agent that plays some. */
export class AgentFixture {
  readonly directory: string
  readonly dataDirectory: string
  readonly client: KubeClient
  readonly errors: unknown[] = []
  readonly #cluster: Cluster
  readonly #options: AgentFixtureOptions
  agent: NodeAgent
  #stop = new AbortController()

  static async start(options: AgentFixtureOptions = {}): Promise<AgentFixture> {
    const directory = mkdtempSync(join(tmpdir(), 'arena-agent-'))
    const cluster = await startCluster({
      dataDir: join(directory, 'cluster'),
      config: { ...usualConfig, nodes: [] },
      log: () => undefined,
    })
    const fixture = new AgentFixture(directory, cluster, options)
    await fixture.agent.ready
    await fixture.settled('default')
    return fixture
  }

  private constructor(directory: string, cluster: Cluster, options: AgentFixtureOptions) {
    this.directory = directory
    this.dataDirectory = join(directory, 'nodes')
    this.#cluster = cluster
    this.#options = options
    this.client = cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
    this.agent = this.#startAgent()
  }

  #startAgent(): NodeAgent {
    this.#stop = new AbortController()
    const nodes = this.#options.nodes?.(this) ?? [
      {
        name: 'worker01',
        capacity: { cpu: '64', memory: '64Gi', 'nvidia.com/gpu': '2' },
        runtime: this.processRuntime(),
      },
    ]
    return startNodeAgent({
      client: this.client,
      nodes,
      dataDirectory: this.dataDirectory,
      signal: this.#stop.signal,
      onError: (error) => this.errors.push(error),
      apiServer: { host: '127.0.0.1', port: Number(new URL(this.#cluster.url).port) },
      ...(this.#options.clock !== undefined && { clock: this.#options.clock }),
      ...this.#options.agent,
    })
  }

  processRuntime(): ProcessRuntime {
    return new ProcessRuntime({ dataDirectory: this.dataDirectory, ...this.#options.process })
  }

  /** As when the program is killed and started again. */
  async restartAgent(): Promise<void> {
    this.#stop.abort()
    await this.agent.stopped
    this.agent = this.#startAgent()
    await this.agent.ready
  }

  /** The namespace has what pods need: its account and the certificate of the server. */
  async settled(namespace: string): Promise<void> {
    const patience = { timeout: 10_000 }
    const { client } = this
    await vi.waitFor(async () => client.get(kinds.serviceAccounts, { namespace, name: 'default' }), patience)
    await vi.waitFor(
      async () => client.get(kinds.configMaps, { namespace, name: 'kube-root-ca.crt' }),
      patience,
    )
  }

  async create(name: string, spec: object, metadata: object = {}): Promise<Persisted<Pod>> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName: 'worker01', ...spec },
    } as unknown as Pod & { metadata: { name: string } }
    return this.client.create(kinds.pods, pod, { namespace: 'default' })
  }

  async get(name: string): Promise<Persisted<Pod>> {
    return this.client.get(kinds.pods, { namespace: 'default', name })
  }

  /** Follows a pod until it is as wanted. */
  async until(name: string, isWanted: (pod: Persisted<Pod>) => boolean): Promise<Persisted<Pod>> {
    const signal = AbortSignal.timeout(20_000)
    let last: Persisted<Pod> | undefined
    try {
      const watch = this.client.watch(kinds.pods, {
        namespace: 'default',
        fieldSelector: `metadata.name=${name}`,
        signal,
      })
      for await (const { object } of watch) {
        last = object
        if (isWanted(object)) return object
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
    throw new Error(`pod "${name}" did not get there: ${JSON.stringify(last?.status, undefined, 1)}`)
  }

  async phase(name: string, phase: string): Promise<Persisted<Pod>> {
    return this.until(name, (pod) => pod.status?.phase === phase)
  }

  async log(name: string, container = 'main', options: { previous?: boolean } = {}): Promise<string> {
    const pod = await this.get(name)
    const chunks = await this.agent.streams.logs(
      { namespace: 'default', name, uid: pod.metadata.uid },
      { container, ...options },
    )
    let text = ''
    for await (const chunk of chunks) text += Buffer.from(chunk).toString()
    return text
  }

  /** Runs a pod to its end and gives its log. */
  async output(name: string, spec: object, phase = 'Succeeded'): Promise<string> {
    await this.create(name, spec)
    await this.phase(name, phase)
    return this.log(name)
  }

  async reasons(name: string): Promise<string[]> {
    const events = await this.client.list(kinds.events, { namespace: 'default' })
    return events.items.filter((event) => event.involvedObject.name === name).map(({ reason = '' }) => reason)
  }

  /** Waits for an event of a pod and gives its message. */
  async event(name: string, reason: string): Promise<string> {
    return vi.waitFor(
      async () => {
        const events = await this.client.list(kinds.events, { namespace: 'default' })
        const found = events.items.find(
          (event) => event.involvedObject.name === name && event.reason === reason,
        )
        if (found === undefined) throw new Error(`there is no event ${reason} about pod "${name}"`)
        return found.message ?? ''
      },
      { timeout: 15_000 },
    )
  }

  async remove(name: string, gracePeriodSeconds?: number): Promise<void> {
    await this.client.delete(
      kinds.pods,
      { namespace: 'default', name },
      gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds },
    )
  }

  async isGone(name: string): Promise<boolean> {
    return this.get(name).then(
      () => false,
      (error: unknown) => isStatus(error, 'NotFound'),
    )
  }

  async close(): Promise<void> {
    const pods = await this.client.list(kinds.pods, { namespace: 'default' })
    for (const { metadata } of pods.items) await this.remove(metadata.name, 0)
    this.#stop.abort()
    await this.agent.stopped
    const runtime = this.processRuntime()
    for (const container of await runtime.adopt()) {
      await container.stop(0)
      await runtime.remove(container.key.podUid)
    }
    runtime.close()
    await this.#cluster.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
