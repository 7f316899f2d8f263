import {
  formatQuantity,
  type KubeClient,
  kinds,
  type Node,
  parseQuantity,
  type Persisted,
  type Pod,
  podRequests,
  quantityToUnits,
  sumQuantities,
} from '../kube/index.ts'
import { readable } from './identity.ts'
import { hasEnded } from './observe/observed.ts'
import { gpusOf } from './observe/view.ts'

const gpu = 'nvidia.com/gpu'

/** A node and what is given out of it. */
export interface NodeView {
  readonly name: string
  readonly address: string
  readonly role: string
  /** `Ready`, `NotReady` or `Unknown`, with `,SchedulingDisabled` when cordoned. */
  readonly status: string
  readonly gpuTotal: number
  /** Nothing where the pods of the cluster may not be seen. */
  readonly gpuAllocated?: number
  readonly gpuUnhealthy: number
  readonly cpu: string
  readonly memory: string
  readonly cpuAllocated?: string
  readonly memoryAllocated?: string
  readonly pods: readonly { readonly name: string; readonly namespace: string; readonly gpus: number }[]
}

/** Lists nodes by name. What is given out is only known to who may see the pods of the whole cluster. */
export async function listNodes(
  client: KubeClient,
  options: { readonly names?: readonly string[]; readonly signal?: AbortSignal } = {},
): Promise<readonly NodeView[]> {
  const signal = options.signal ? { signal: options.signal } : {}
  const [nodes, pods] = await Promise.all([
    client.list(kinds.nodes, signal),
    readable(client.list(kinds.pods, signal)),
  ])
  const { names = [] } = options
  return nodes.items
    .filter(({ metadata }) => names.length === 0 || names.includes(metadata.name))
    .map((node) => viewNode(node, pods?.items))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function viewNode(node: Persisted<Node>, pods: readonly Persisted<Pod>[] | undefined): NodeView {
  const { capacity = {}, allocatable = {} } = node.status ?? {}
  const total = quantityToUnits(parseQuantity(capacity[gpu] ?? '0'))
  const mine = pods?.filter((pod) => pod.spec?.nodeName === node.metadata.name && !hasEnded(pod))
  const requested = (name: string): string =>
    formatQuantity(
      sumQuantities(
        (mine ?? []).flatMap((pod) => {
          const amount = podRequests(pod)[name]
          return amount === undefined ? [] : [formatQuantity(amount)]
        }),
      ),
    )
  return {
    name: node.metadata.name,
    address: addressOf(node),
    role: roleOf(node),
    status: statusOf(node),
    gpuTotal: total,
    gpuUnhealthy: total - quantityToUnits(parseQuantity(allocatable[gpu] ?? '0')),
    cpu: allocatable['cpu'] ?? '0',
    memory: allocatable['memory'] ?? '0',
    ...(mine && {
      gpuAllocated: mine.reduce((sum, pod) => sum + gpusOf(pod), 0),
      cpuAllocated: requested('cpu'),
      memoryAllocated: requested('memory'),
    }),
    pods: (mine ?? [])
      .map((pod) => ({
        name: pod.metadata.name,
        namespace: pod.metadata.namespace ?? '',
        gpus: gpusOf(pod),
      }))
      .filter(({ gpus }) => gpus > 0),
  }
}

function addressOf(node: Node): string {
  const addresses = node.status?.addresses ?? []
  return (addresses.find(({ type }) => type === 'InternalIP') ?? addresses[0])?.address ?? 'N/A'
}

function roleOf(node: Node): string {
  const prefix = 'node-role.kubernetes.io/'
  const roles = Object.entries(node.metadata?.labels ?? {})
    .filter(([key]) => key.startsWith(prefix))
    .map(([key]) => key.slice(prefix.length))
    .sort()
  return roles.length === 0 ? '<none>' : roles.join(',')
}

function statusOf(node: Node): string {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')?.status
  const word = ready === 'True' ? 'Ready' : ready === 'False' ? 'NotReady' : 'Unknown'
  return node.spec?.unschedulable === true ? `${word},SchedulingDisabled` : word
}
