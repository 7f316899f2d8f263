import {
  formatQuantity,
  type KubeObject,
  notFound,
  quantityOf,
  serviceUnavailable,
  sumQuantities,
  timestamp,
} from '../kube/index.ts'
import type {
  Column,
  ComputedObjects,
  Reader,
  ResourceDefinition,
  ResourceRequest,
  Selection,
} from './registry/index.ts'
import { schemaFor } from './registry/schema/index.ts'
import type { PodUsage, UsageSource } from './runtime/index.ts'

export interface MetricsParts {
  readonly reader: Reader
  /** Absent until the nodes run. */
  readonly usage: () => UsageSource | undefined
  /** Milliseconds since the epoch. */
  now(): number
}

const group = 'metrics.k8s.io'

/** Of a node that runs nothing there is no reading that would have a window. */
const usualWindowMs = 15_000

/** What is used, in the units of readings. */
interface Amounts {
  readonly cpuNanocores: number
  readonly memoryBytes: number
}

/**
 * `metrics.k8s.io/v1beta1`: what pods and nodes use, as metrics-server would tell it
 * (https://github.com/kubernetes-sigs/metrics-server). Measured when asked for, and kept nowhere.
 */
export function metricsResources(parts: MetricsParts): readonly ResourceDefinition[] {
  return [
    define('NodeMetrics', 'nodes', false, nodeMetrics(parts)),
    define('PodMetrics', 'pods', true, podMetrics(parts)),
  ]
}

function define(
  kind: string,
  plural: string,
  namespaced: boolean,
  computed: ComputedObjects,
): ResourceDefinition {
  const version = 'v1beta1'
  return {
    group,
    version,
    kind,
    plural,
    // The names of their own are those of the kinds that are measured.
    singular: '',
    namespaced,
    verbs: ['get', 'list'],
    schema: schemaFor(group, version, kind),
    hasStatus: false,
    columns,
    computed,
  }
}

function podMetrics({ reader, usage, now }: MetricsParts): ComputedObjects {
  const measure = async (pods: readonly KubeObject[]): Promise<KubeObject[]> => {
    const uids = pods.map(({ metadata }) => metadata.uid ?? '')
    const found = await source(usage).podUsage(uids)
    return pods.flatMap((pod) => {
      const used = found.get(pod.metadata.uid ?? '')
      return used === undefined ? [] : [podObject(pod, used, now())]
    })
  }
  return {
    async get({ namespace, name = '' }) {
      const pod = reader.get('/pods', namespace, name)
      if (pod === undefined) throw notFound({ kind: 'pods', name })
      const [measured] = await measure([pod])
      if (measured === undefined)
        throw notFound({ group, kind: 'podmetrics', name: `${namespace ?? ''}/${name}` })
      return measured
    },
    list: (request, selection) => measure(selected(reader, '/pods', request, selection).filter(isRunning)),
  }
}

function nodeMetrics({ reader, usage, now }: MetricsParts): ComputedObjects {
  const measure = async (nodes: readonly KubeObject[]): Promise<KubeObject[]> => {
    const uidsOf = new Map<string, string[]>(nodes.map(({ metadata }) => [metadata.name ?? '', []]))
    for (const pod of reader.list('/pods'))
      if (isRunning(pod)) uidsOf.get(nodeNameOf(pod))?.push(pod.metadata.uid ?? '')
    const found = await source(usage).podUsage([...uidsOf.values()].flat())
    return nodes.flatMap((node) => {
      const name = node.metadata.name ?? ''
      const used = (uidsOf.get(name) ?? []).flatMap((uid) => found.get(uid) ?? [])
      if (used.length === 0 && !source(usage).measures(name)) return []
      return [nodeObject(node, used, now())]
    })
  }
  return {
    async get({ name = '' }) {
      const node = reader.get('/nodes', undefined, name)
      if (node === undefined) throw notFound({ kind: 'nodes', name })
      const [measured] = await measure([node])
      if (measured === undefined) throw notFound({ group, kind: 'nodemetrics', name })
      return measured
    },
    list: (request, selection) => measure(selected(reader, '/nodes', request, selection)),
  }
}

function source(usage: MetricsParts['usage']): UsageSource {
  const found = usage()
  if (found === undefined) throw serviceUnavailable('the nodes are starting')
  return found
}

/** Selectors ask about what is measured: its names and labels are those of the measurement. */
function selected(
  reader: Reader,
  resource: string,
  { namespace }: ResourceRequest,
  selection: Selection,
): KubeObject[] {
  return [...reader.list(resource, namespace)].filter((object) => selection.matches(object))
}

// Pods are stored only after they were held against their schema.
function isRunning(pod: KubeObject): boolean {
  return (pod['status'] as { phase?: string } | undefined)?.phase === 'Running'
}

function nodeNameOf(pod: KubeObject): string {
  return (pod['spec'] as { nodeName?: string } | undefined)?.nodeName ?? ''
}

function podObject(pod: KubeObject, used: PodUsage, now: number): KubeObject {
  const { name, namespace } = pod.metadata
  return {
    metadata: { ...metadataOf(pod, now), ...(name && { name }), ...(namespace && { namespace }) },
    timestamp: timestamp(used.at),
    window: goSeconds(used.windowMs),
    containers: used.containers.map((one) => ({ name: one.name, usage: amountsOf(one) })),
  }
}

/** Several nodes may share this machine, so that a node's use is that of its pods. */
function nodeObject(node: KubeObject, used: readonly PodUsage[], now: number): KubeObject {
  const containers = used.flatMap((pod) => pod.containers)
  return {
    metadata: metadataOf(node, now),
    timestamp: timestamp(Math.max(...used.map(({ at }) => at), used.length === 0 ? now : 0)),
    window: goSeconds(used.length === 0 ? usualWindowMs : Math.max(...used.map(({ windowMs }) => windowMs))),
    usage: amountsOf(sum(containers)),
  }
}

function metadataOf({ metadata }: KubeObject, now: number): KubeObject['metadata'] {
  const { name, labels } = metadata
  return { ...(name && { name }), creationTimestamp: timestamp(now), ...(labels && { labels }) }
}

function sum(amounts: readonly Amounts[]): Amounts {
  let [cpuNanocores, memoryBytes] = [0, 0]
  for (const one of amounts) {
    cpuNanocores += one.cpuNanocores
    memoryBytes += one.memoryBytes
  }
  return { cpuNanocores, memoryBytes }
}

interface Usage {
  readonly cpu: string
  readonly memory: string
}

function amountsOf({ cpuNanocores, memoryBytes }: Amounts): Usage {
  return {
    cpu: formatQuantity({ nanos: BigInt(cpuNanocores), format: 'DecimalSI' }),
    memory: formatQuantity(quantityOf(memoryBytes, 'BinarySI')),
  }
}

/** As Go writes a duration of whole milliseconds: `15.25s`, `1m0s`. */
function goSeconds(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000)
  const seconds = (milliseconds % 60_000) / 1000
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`
}

/** The columns of metrics-server, which names amounts as resource lists do. */
const columns: readonly Column[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name of the resource',
    priority: 0,
    cell: (object) => object.metadata.name ?? '',
  },
  amountColumn('cpu'),
  amountColumn('memory'),
  {
    name: 'Window',
    type: 'string',
    format: 'duration',
    description: '',
    priority: 0,
    cell: (object) => String(object['window']),
  },
]

function amountColumn(name: keyof Usage): Column {
  return {
    name,
    type: 'string',
    format: 'quantity',
    description: '',
    priority: 0,
    // Measurements are made above: of a node as a whole, of a pod by container.
    cell: ({ usage, containers }) =>
      usage === undefined
        ? formatQuantity(sumQuantities((containers as { usage: Usage }[]).map((one) => one.usage[name])))
        : (usage as Usage)[name],
  }
}
