import { arch, hostname, release } from 'node:os'
import {
  isStatus,
  type JsonObject,
  kinds,
  type KubeClient,
  type Lease,
  microTimestamp,
  type Node,
  type Persisted,
  type Taint,
  timestamp,
} from '../../../kube/index.ts'
import { type Clock, pause } from '../clock.ts'

/** A node that the agent plays. */
export interface NodeSpec {
  readonly name: string
  readonly isControlPlane: boolean
  /** By resource name; `pods` is added when missing. */
  readonly capacity: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly address: string
  /** Value of the label `arena.dev/runtime`. */
  readonly runtimeName: string
  readonly runtimeVersion: string
}

const podsPerNode = '110'

const controlPlaneRole = 'node-role.kubernetes.io/control-plane'
const leaseSeconds = 40
// So many nodes may renew their leases within a second, however many there are.
const renewalsPerSecond = 20

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm' }

/** Everything a node has: what it was given, and how many pods it takes. */
export function capacityOf(spec: Pick<NodeSpec, 'capacity'>): Record<string, string> {
  return { pods: podsPerNode, ...spec.capacity }
}

/** Makes a node known, or brings what is known of it up to date. Labels and taints that others set stay. */
export async function registerNode(
  client: KubeClient,
  spec: NodeSpec,
  options: { readonly now: () => Date; readonly signal: AbortSignal },
): Promise<void> {
  const labels = labelsOf(spec)
  const existing = await findNode(client, spec.name, options.signal)
  if (existing === undefined) {
    const node: Node & { metadata: { name: string } } = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: spec.name, labels },
      spec: {
        ...(spec.isControlPlane && { taints: [{ key: controlPlaneRole, effect: 'NoSchedule' } as Taint] }),
      },
    } as Node & { metadata: { name: string } }
    await client.create(kinds.nodes, node, { signal: options.signal }).catch((error: unknown) => {
      if (!isStatus(error, 'AlreadyExists')) throw error
    })
  } else {
    const isCurrent = Object.entries(labels).every(
      ([key, value]) => existing.metadata.labels?.[key] === value,
    )
    if (!isCurrent) {
      const patch = { metadata: { labels } }
      await client.patch(
        kinds.nodes,
        { name: spec.name },
        { type: 'strategic', patch },
        { signal: options.signal },
      )
    }
  }
  await reportNode(client, spec, existing, options)
}

const retryMs = 10_000

/**
 * {@link registerNode}; what is in the way of it now, a policy or a webhook, is no reason not to start: it is tried again
 * until it works. Resolves after the first time.
 */
export async function registerPatiently(
  client: KubeClient,
  spec: NodeSpec,
  options: {
    readonly clock: Clock
    readonly signal: AbortSignal
    readonly onError: (error: unknown) => void
  },
): Promise<void> {
  const { clock, signal, onError } = options
  const isRegistered = async (): Promise<boolean> => {
    try {
      await registerNode(client, spec, { now: () => new Date(clock.now()), signal })
      return true
    } catch (error) {
      if (!signal.aborted) onError(error)
      return signal.aborted
    }
  }
  const tryAgain = async (): Promise<void> => {
    do await pause(clock, retryMs, signal)
    while (!(await isRegistered()))
  }
  if (!(await isRegistered())) void tryAgain()
}

async function findNode(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<Persisted<Node> | undefined> {
  return client.get(kinds.nodes, { name }, { signal }).catch((error: unknown) => {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  })
}

function labelsOf(spec: NodeSpec): Record<string, string> {
  const architecture = architectures[arch()] ?? arch()
  return {
    'kubernetes.io/hostname': spec.name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': architecture,
    'arena.dev/runtime': spec.runtimeName,
    ...(spec.isControlPlane && { [controlPlaneRole]: '' }),
    ...spec.labels,
  }
}

async function reportNode(
  client: KubeClient,
  spec: NodeSpec,
  existing: Persisted<Node> | undefined,
  { now, signal }: { readonly now: () => Date; readonly signal: AbortSignal },
): Promise<void> {
  const capacity = capacityOf(spec)
  const status = {
    capacity,
    allocatable: capacity,
    conditions: nodeConditions(existing, timestamp(now())),
    addresses: [
      { type: 'InternalIP', address: spec.address },
      { type: 'Hostname', address: spec.name },
    ],
    nodeInfo: {
      machineID: spec.name,
      systemUUID: spec.name,
      bootID: hostname(),
      kernelVersion: release(),
      osImage: 'Linux',
      containerRuntimeVersion: `${spec.runtimeName}://${spec.runtimeVersion}`,
      kubeletVersion: 'v1.36.0',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: architectures[arch()] ?? arch(),
    },
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  }
  await client.patch(
    kinds.nodes,
    { name: spec.name },
    { type: 'strategic', patch: { status } as JsonObject },
    { subresource: 'status', signal },
  )
}

const conditionTexts = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const

function nodeConditions(existing: Persisted<Node> | undefined, time: string): JsonObject[] {
  return conditionTexts.map(([type, status, reason, message]) => {
    const before = existing?.status?.conditions?.find((one) => one.type === type)
    const since = before?.status === status ? String(before.lastTransitionTime ?? time) : time
    return { type, status, reason, message, lastHeartbeatTime: time, lastTransitionTime: since }
  })
}

/** Renews the leases of nodes in turn until the signal aborts: the sign that their agent is alive. */
export async function keepLeases(
  client: KubeClient,
  nodes: readonly NodeSpec[],
  options: {
    readonly clock: Clock
    readonly signal: AbortSignal
    readonly onError: (error: unknown) => void
  },
): Promise<void> {
  const { clock, signal, onError } = options
  const durationSeconds = Math.max(leaseSeconds, Math.ceil((4 * nodes.length) / renewalsPerSecond))
  const stepMs = (durationSeconds * 1000) / 4 / Math.max(1, nodes.length)
  while (!signal.aborted) {
    for (const { name } of nodes) {
      if (signal.aborted) return
      try {
        await renewLease(client, name, durationSeconds, new Date(clock.now()), signal)
      } catch (error) {
        if (!signal.aborted) onError(error)
      }
      await pause(clock, stepMs, signal)
    }
    if (nodes.length === 0) return
  }
}

const leaseNamespace = 'kube-node-lease'

async function renewLease(
  client: KubeClient,
  name: string,
  durationSeconds: number,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const renewTime = microTimestamp(now)
  const spec = { holderIdentity: name, leaseDurationSeconds: durationSeconds, renewTime }
  try {
    await client.patch(
      kinds.leases,
      { namespace: leaseNamespace, name },
      { type: 'merge', patch: { spec } },
      { signal },
    )
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    const uid = (await findNode(client, name, signal))?.metadata.uid
    // Without its node a lease would stay for ever.
    if (uid === undefined) return
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name,
        namespace: leaseNamespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
      },
      spec: spec as NonNullable<Lease['spec']>,
    }
    await client.create(kinds.leases, lease, { namespace: leaseNamespace, signal })
  }
}
