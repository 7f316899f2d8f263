import {
  createEventRecorder,
  type EndpointSlice,
  type Informer,
  kinds,
  type KubeClient,
  ownSignal,
  type Persisted,
  type Pod,
  type Service,
  startInformer,
} from '../../../kube/index.ts'
import { type Clock, pause, systemClock } from '../clock.ts'
import type { Container, Runtime } from '../runtime.ts'
import type { PodStreams } from '../streams.ts'
import type { UsageSource } from '../usage.ts'
import { PodAddresses } from './addresses.ts'
import { NodeDevices } from './devices.ts'
import { Gate } from './gate.ts'
import { HostsFiles } from './hosts.ts'
import { capacityOf, keepLeases, type NodeSpec, registerNode, registerPatiently } from './node.ts'
import { serviceVariables } from './container/service-environment.ts'
import { PodAgent } from './pod/pod-agent.ts'
import type { AgentContext, NodeContext } from './pod-context.ts'
import { podStreams } from './pod/pod-streams.ts'
import { UsageWindows } from './usage-windows.ts'

/** A node that the agent plays. */
export interface AgentNode {
  readonly name: string
  /** Takes no jobs: labelled and tainted as part of the control plane. */
  readonly isControlPlane?: boolean
  /** Amounts by resource name, as in `{ cpu: '4', memory: '30Gi', 'nvidia.com/gpu': '1' }`. */
  readonly capacity: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** 127.0.0.1 when left out. */
  readonly address?: string
  readonly runtime: Runtime
  /** Indexes of the machine's GPUs that are this node's; 0 to capacity when left out. */
  readonly gpus?: readonly number[]
}

/** The nodes to play, and what of the machine they use. */
export interface NodeAgentOptions {
  readonly client: KubeClient
  readonly nodes: readonly AgentNode[]
  /** Pods' files are kept in `pods` below it. */
  readonly dataDirectory: string
  /** Ends the agent. Containers that can outlive it go on. */
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  /** Where pods find the API server. */
  readonly apiServer: { readonly host: string; readonly port: number }
  /** Lets pods run as user 0; give the same to the runtime. */
  readonly allowRoot?: boolean
  /** Directories of this machine that stand for NFS exports, by `server:/path`. */
  readonly nfsDirectories?: Readonly<Record<string, string>>
  readonly clock?: Clock
  /** Caches that exist already; whatever is left out is watched by the agent itself. */
  readonly informers?: {
    readonly pods?: Informer<Pod>
    readonly services?: Informer<Service>
    readonly endpointSlices?: Informer<EndpointSlice>
  }
}

/** The agent at work. */
export interface NodeAgent {
  /** Logs, exec, attach and port-forward of the pods on these nodes. */
  readonly streams: PodStreams
  /** What the pods on these nodes use. */
  readonly usage: UsageSource
  /** Settles when all nodes are registered and what ran before has been found again. */
  readonly ready: Promise<void>
  /** Settles when the agent has let go of everything, after the signal. */
  readonly stopped: Promise<void>
}

const writesAtATime = 64
const registrations = 16
const refreshMs = 60_000
const heartbeatMs = 5 * 60_000

/**
 * Plays nodes: registers them, runs the pods that the scheduler gives them, and tells the API what becomes of them.
 * One agent may play thousands of nodes; all share one watch.
 *
 * @example
 * ```ts
 * const runtime = new ProcessRuntime({ dataDirectory })
 * const agent = startNodeAgent({ client, dataDirectory, signal, onError, apiServer,
 *   nodes: [{ name: 'worker01', capacity: { cpu: '4', memory: '30Gi' }, runtime }] })
 * await agent.ready
 * ```
 */
export function startNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { client, dataDirectory } = options
  const signal = ownSignal(options.signal)
  const clock = options.clock ?? systemClock
  const onError = (error: unknown): void => {
    if (!signal.aborted) options.onError(error)
  }
  const watching = { signal, onError }
  const pods = options.informers?.pods ?? startPods(client, options.nodes, watching)
  const services = options.informers?.services ?? startInformer(client, kinds.services, watching)
  const slices = options.informers?.endpointSlices ?? startInformer(client, kinds.endpointSlices, watching)
  const nodes = new Map(options.nodes.map((node) => [node.name, nodeContext(node)]))
  const runtimes = new Set(options.nodes.map(({ runtime }) => runtime))
  const { host, port } = options.apiServer
  const context: AgentContext = {
    client,
    clock,
    dataDirectory,
    recorder: createEventRecorder({ client, component: 'kubelet', signal, now: () => clock.now(), onError }),
    writes: new Gate(writesAtATime),
    hosts: new HostsFiles({ services, slices, apiAddress: host, clock, onError }),
    addresses: new PodAddresses(),
    allowRoot: options.allowRoot === true,
    *othersOn(node, uid) {
      for (const { pod, isOver } of agents.values()) {
        const hasEnded = isOver || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
        if (pod.spec?.nodeName === node && pod.metadata.uid !== uid && !hasEnded) yield pod
      }
    },
    isRoot: process.getuid?.() === 0,
    nfsDirectories: options.nfsDirectories ?? {},
    // Where the API server really listens, not at the address of its service.
    servicesOf: (namespace) =>
      services.list(namespace).filter((one) => namespace !== 'default' || one.metadata.name !== 'kubernetes'),
    clusterEnvironment: serviceVariables('kubernetes', host, [{ name: 'https', port }]),
    signal,
    endings: new Set(),
    onError,
  }
  const agents = new Map<string, PodAgent>()

  function begin(pod: Persisted<Pod>, found: readonly Container[]): void {
    const node = nodes.get(pod.spec?.nodeName ?? '')
    if (node === undefined || agents.has(pod.metadata.uid)) return
    const agent = new PodAgent(pod, found, context, node)
    agents.set(pod.metadata.uid, agent)
    void agent
      .run()
      .catch(onError)
      .finally(() => {
        if (agents.get(pod.metadata.uid) === agent) agents.delete(pod.metadata.uid)
      })
  }

  async function start(): Promise<void> {
    const gate = new Gate(registrations)
    const specs = options.nodes.map(nodeSpec)
    const adopted = (await Promise.all([...runtimes].map(async (runtime) => runtime.adopt()))).flat()
    // Names of services may come later; a server without them must not keep pods from running.
    await pods.synced
    adopt(adopted)
    pods.subscribe((change) => {
      if (change.type === 'SYNCED') return
      const { uid } = change.object.metadata
      if (change.type === 'DELETED') agents.get(uid)?.gone()
      else if (agents.has(uid)) agents.get(uid)?.update(change.object)
      else begin(change.object, [])
    })
    await Promise.all(
      specs.map(async (spec) =>
        gate.pass(async () => registerPatiently(client, spec, { clock, signal, onError })),
      ),
    )
    void keepLeases(client, specs, { clock, signal, onError })
    void repeat(refreshMs, async () => refreshAll(agents, onError))
    void repeat(heartbeatMs, async () => {
      for (const spec of specs) await registerNode(client, spec, { now: () => new Date(clock.now()), signal })
    })
  }

  /** Takes up the pods that are there, with the containers found for them; containers of no pod are ended. */
  function adopt(adopted: readonly Container[]): void {
    const byPod = groupByPod(adopted)
    // Before any pod takes an address: those of running pods are in use.
    for (const { metadata, spec, status } of pods.objects.values()) {
      const address = status?.podIP
      if (address === undefined || status?.phase !== 'Running') continue
      if (nodes.has(spec?.nodeName ?? '')) context.addresses.adopt(address, metadata.uid)
    }
    for (const pod of pods.objects.values()) {
      begin(pod, byPod.get(pod.metadata.uid) ?? [])
      byPod.delete(pod.metadata.uid)
    }
    for (const [uid, containers] of byPod) {
      void endOrphans(uid, containers, runtimes).catch(onError)
    }
  }

  async function repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    for (;;) {
      await pause(clock, everyMs, signal)
      if (signal.aborted) return
      await work().catch(onError)
    }
  }

  const ready = start()
  ready.catch(onError)
  return {
    streams: podStreams((uid) => agents.get(uid)),
    usage: new UsageWindows({
      find: (uid) => agents.get(uid),
      runtimeOf: (node) => nodes.get(node)?.runtime,
      clock,
      signal,
    }),
    ready,
    stopped: untilAborted(signal).then(() => {
      for (const end of context.endings) end()
      for (const runtime of runtimes) runtime.close()
    }),
  }
}

function startPods(
  client: KubeClient,
  nodes: readonly AgentNode[],
  watching: { signal: AbortSignal; onError: (error: unknown) => void },
): Informer<Pod> {
  const [only] = nodes
  const fieldSelector =
    nodes.length === 1 && only !== undefined ? `spec.nodeName=${only.name}` : 'spec.nodeName!='
  return startInformer(client, kinds.pods, { ...watching, fieldSelector })
}

function nodeContext(node: AgentNode): NodeContext {
  const count = Number(node.capacity['nvidia.com/gpu'] ?? 0)
  return {
    name: node.name,
    address: node.address ?? '127.0.0.1',
    allocatable: capacityOf(node),
    runtime: node.runtime,
    devices: new NodeDevices(node.gpus ?? Array.from({ length: count }, (_, index) => index)),
  }
}

function nodeSpec(node: AgentNode): NodeSpec {
  const spec = {
    name: node.name,
    isControlPlane: node.isControlPlane === true,
    capacity: node.capacity,
    labels: node.labels ?? {},
    address: node.address ?? '127.0.0.1',
    runtimeName: node.runtime.name,
    runtimeVersion: node.runtime.version,
  }
  return { ...spec, capacity: capacityOf(spec) }
}

function groupByPod(containers: readonly Container[]): Map<string, Container[]> {
  const byPod = new Map<string, Container[]>()
  for (const container of containers) {
    const list = byPod.get(container.key.podUid)
    if (list === undefined) byPod.set(container.key.podUid, [container])
    else list.push(container)
  }
  return byPod
}

/** The pod was removed while no agent was there to see it. */
async function endOrphans(
  podUid: string,
  containers: readonly Container[],
  runtimes: ReadonlySet<Runtime>,
): Promise<void> {
  await Promise.all(containers.map(async (container) => container.stop(0)))
  for (const runtime of runtimes) await runtime.remove(podUid)
}

async function refreshAll(
  agents: ReadonlyMap<string, PodAgent>,
  onError: (error: unknown) => void,
): Promise<void> {
  for (const agent of agents.values()) await agent.refresh().catch(onError)
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
