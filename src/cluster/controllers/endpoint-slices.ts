import {
  type EndpointSlice,
  type Persisted,
  type Pod,
  type Service,
  WorkQueue,
  kinds,
  parseKey,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'
import { hasEndpoints } from './endpoints.ts'
import { enqueueServices, hostnameOf, isHeadless, isReady, podsOf, targetPort } from './service-pods.ts'

type Endpoint = EndpointSlice['endpoints'][number]
type Port = NonNullable<EndpointSlice['ports']>[number]

const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
const serviceLabel = 'kubernetes.io/service-name'
const headlessLabel = 'service.kubernetes.io/headless'
const manager = 'endpointslice-controller.k8s.io'
const zoneLabel = 'topology.kubernetes.io/zone'
const largestSlice = 100

/** Keeps for every service with a selector the slices of endpoints behind it. */
export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  async run(context) {
    const { informers } = context
    const services = informers.of(kinds.services)
    const slices = informers.of(kinds.endpointSlices)
    await Promise.all([
      services.synced,
      slices.synced,
      informers.of(kinds.pods).synced,
      informers.of(kinds.nodes).synced,
    ])
    const queue = new WorkQueue()
    enqueueServices(informers, queue)
    slices.subscribe((change) => {
      const { labels = {}, namespace = '' } = change.object.metadata
      const service = labels[serviceLabel]
      if (change.type === 'DELETED' && labels[managedByLabel] === manager && service)
        queue.addAfter(`${namespace}/${service}`, 50)
    })
    // What was written may not be in the cache yet: a look too early would make a slice twice.
    const own = new Map<string, Map<string, Persisted<EndpointSlice>>>()
    slices.subscribe((change) => {
      const { labels = {}, namespace = '', name, resourceVersion } = change.object.metadata
      const written = own.get(`${namespace}/${labels[serviceLabel] ?? ''}`)
      const known = written?.get(name)
      const isSeen =
        change.type === 'DELETED' || Number(known?.metadata.resourceVersion) <= Number(resourceVersion)
      if (known !== undefined && isSeen) written?.delete(name)
    })
    await reconcile(context, queue, async (key) => {
      const at = parseKey(key)
      const service = services.get(at)
      if (service === undefined) {
        own.delete(key)
        return
      }
      if (service.metadata.deletionTimestamp !== undefined || !hasEndpoints(service)) return
      const written = own.get(key) ?? new Map<string, Persisted<EndpointSlice>>()
      own.set(key, written)
      const existing = new Map<string, Persisted<EndpointSlice>>()
      for (const slice of slices.inNamespace(at.namespace ?? '')) {
        if (slice.metadata.labels?.[serviceLabel] !== at.name) continue
        if (slice.metadata.labels[managedByLabel] === manager) existing.set(slice.metadata.name, slice)
      }
      for (const [name, slice] of written) existing.set(name, slice)
      await write(context, service, [...existing.values()], written)
    })
  },
}

async function write(
  context: ControllerContext,
  service: Persisted<Service>,
  existing: readonly Persisted<EndpointSlice>[],
  written: Map<string, Persisted<EndpointSlice>>,
): Promise<void> {
  const { client, informers, signal } = context
  const namespace = service.metadata.namespace ?? ''
  const zoneOf = (node: string): string | undefined =>
    informers.of(kinds.nodes).get({ name: node })?.metadata.labels?.[zoneLabel]
  const plan = planSlices(service, podsOf(informers, service), existing, zoneOf)
  for (const slice of plan.update) {
    const next = await client.replace(kinds.endpointSlices, { namespace, name: slice.metadata.name }, slice, {
      signal,
    })
    written.set(next.metadata.name, next)
  }
  for (const slice of plan.create) {
    const next = await client.create(kinds.endpointSlices, slice, { namespace, signal })
    written.set(next.metadata.name, next)
  }
  for (const { metadata } of plan.remove) {
    await unlessGone(client.delete(kinds.endpointSlices, { namespace, name: metadata.name }, { signal }))
    written.delete(metadata.name)
  }
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[]
  readonly update: readonly Persisted<EndpointSlice>[]
  readonly remove: readonly Persisted<EndpointSlice>[]
}

/** Endpoints stay in the slice where they are, so that a change of one pod rewrites one slice. */
export function planSlices(
  service: Persisted<Service>,
  pods: readonly Persisted<Pod>[],
  existing: readonly Persisted<EndpointSlice>[],
  zoneOf: (node: string) => string | undefined,
): SlicePlan {
  const create: EndpointSlice[] = []
  const update: Persisted<EndpointSlice>[] = []
  const remove: Persisted<EndpointSlice>[] = []
  const labels = labelsOf(service)
  const groups = groupByPorts(service, pods, zoneOf)
  const byPorts = new Map<string, Persisted<EndpointSlice>[]>()
  for (const slice of existing) {
    const key = JSON.stringify(slice.ports ?? [])
    if (groups.has(key)) byPorts.set(key, [...(byPorts.get(key) ?? []), slice])
    else remove.push(slice)
  }
  for (const [key, { ports, endpoints }] of groups) {
    const missing = new Map(endpoints.map((endpoint) => [endpoint.targetRef?.uid, endpoint]))
    const kept = (byPorts.get(key) ?? []).map((slice) => {
      const stay = slice.endpoints.flatMap((endpoint) => {
        const uid = endpoint.targetRef?.uid
        const wanted = missing.get(uid)
        missing.delete(uid)
        return wanted ?? []
      })
      return { slice, endpoints: stay }
    })
    const rest = [...missing.values()]
    for (const entry of kept) entry.endpoints.push(...rest.splice(0, largestSlice - entry.endpoints.length))
    const used = kept.filter((entry) => entry.endpoints.length > 0)
    // A service without endpoints keeps one empty slice, so that it can be seen to have none.
    if (used.length === 0 && rest.length === 0 && kept[0] !== undefined) used.push(kept[0])
    for (const { slice, endpoints: wanted } of kept) {
      if (!used.some((entry) => entry.slice === slice)) remove.push(slice)
      else if (!isSame(slice, wanted, labels)) {
        update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: wanted })
      }
    }
    while (rest.length > 0 || (used.length === 0 && create.length === 0 && endpoints.length === 0)) {
      create.push(newSlice(service, labels, ports, rest.splice(0, largestSlice)))
    }
  }
  return { create, update, remove }
}

function groupByPorts(
  service: Persisted<Service>,
  pods: readonly Persisted<Pod>[],
  zoneOf: (node: string) => string | undefined,
): Map<string, { ports: Port[]; endpoints: Endpoint[] }> {
  const groups = new Map<string, { ports: Port[]; endpoints: Endpoint[] }>()
  const servicePorts = service.spec?.ports ?? []
  for (const pod of pods) {
    const ports = servicePorts.flatMap((port): Port[] => {
      const number = targetPort(port, pod)
      if (number === undefined) return []
      return [
        {
          name: port.name ?? '',
          port: number,
          protocol: port.protocol ?? 'TCP',
          ...(port.appProtocol && { appProtocol: port.appProtocol }),
        },
      ]
    })
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { ports, endpoints: [] }
    groups.set(key, group)
    group.endpoints.push(endpointOf(service, pod, zoneOf))
  }
  if (groups.size === 0) groups.set('[]', { ports: [], endpoints: [] })
  return groups
}

function endpointOf(
  service: Persisted<Service>,
  pod: Persisted<Pod>,
  zoneOf: (node: string) => string | undefined,
): Endpoint {
  const isTerminating = pod.metadata.deletionTimestamp !== undefined
  const serving = isReady(pod)
  const hostname = hostnameOf(service, pod)
  const nodeName = pod.spec?.nodeName
  const zone = nodeName ? zoneOf(nodeName) : undefined
  const { name, namespace, uid } = pod.metadata
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !isTerminating)
  const hints = ready ? hintsOf(service, nodeName, zone) : undefined
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: {
      ready,
      serving,
      terminating: isTerminating,
    },
    ...(hostname !== undefined && { hostname }),
    targetRef: { kind: 'Pod', ...(namespace !== undefined && { namespace }), name, uid },
    ...(nodeName && { nodeName }),
    ...(zone !== undefined && { zone }),
    ...(hints !== undefined && { hints }),
  }
}

const nearby: ReadonlySet<string> = new Set(['PreferClose', 'PreferSameZone', 'PreferSameNode'])

/** For whom an endpoint is meant first (https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution). */
function hintsOf(
  { spec }: Persisted<Service>,
  node: string | undefined,
  zone: string | undefined,
): Endpoint['hints'] | undefined {
  const { trafficDistribution = '' } = spec ?? {}
  if (!nearby.has(trafficDistribution)) return undefined
  const isForNode = trafficDistribution === 'PreferSameNode' && node !== undefined && node !== ''
  if (zone === undefined && !isForNode) return undefined
  return {
    ...(zone !== undefined && { forZones: [{ name: zone }] }),
    ...(isForNode && { forNodes: [{ name: node }] }),
  }
}

function labelsOf(service: Persisted<Service>): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {}
  return {
    ...labels,
    [managedByLabel]: manager,
    [serviceLabel]: service.metadata.name,
    ...(isHeadless(service) && { [headlessLabel]: '' }),
  }
}

function newSlice(
  service: Persisted<Service>,
  labels: Record<string, string>,
  ports: Port[],
  endpoints: Endpoint[],
): EndpointSlice {
  const { name, namespace, uid } = service.metadata
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace !== undefined && { namespace }),
      labels,
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    addressType: service.spec?.ipFamilies?.[0] ?? 'IPv4',
    endpoints,
    ports,
  }
}

function isSame(
  slice: Persisted<EndpointSlice>,
  endpoints: readonly Endpoint[],
  labels: Record<string, string>,
): boolean {
  const before = slice.metadata.labels ?? {}
  return (
    JSON.stringify(slice.endpoints) === JSON.stringify(endpoints) &&
    Object.keys(before).length === Object.keys(labels).length &&
    Object.entries(labels).every(([key, value]) => before[key] === value)
  )
}
