import { isIPv6 } from 'node:net'
import {
  type EndpointSlice,
  type Endpoints,
  type Persisted,
  WorkQueue,
  kinds,
  parseKey,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'

type Endpoint = EndpointSlice['endpoints'][number]

const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
const serviceLabel = 'kubernetes.io/service-name'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const manager = 'endpointslicemirroring-controller.k8s.io'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'
const mostAddresses = 1000

/** Copies endpoints that users write for services without a selector into slices, where proxies look. */
export const endpointMirror: Controller = {
  name: 'endpointslicemirroring-controller',
  async run(context) {
    const { informers } = context
    const services = informers.of(kinds.services)
    const endpoints = informers.of(kinds.endpoints)
    await Promise.all([services.synced, endpoints.synced])
    const queue = new WorkQueue()
    const enqueue = (namespace: string | undefined, name: string): void =>
      queue.add(`${namespace ?? ''}/${name}`)
    for (const informer of [services, endpoints]) {
      informer.subscribe((change) => {
        enqueue(change.object.metadata.namespace, change.object.metadata.name)
      })
    }
    informers.of(kinds.endpointSlices).subscribe((change) => {
      const { labels = {}, namespace } = change.object.metadata
      const service = labels[serviceLabel]
      if (labels[managedByLabel] === manager && service) enqueue(namespace, service)
    })
    await reconcile(context, queue, async (key) => {
      const at = parseKey(key)
      const service = services.get(at)
      const source = endpoints.get(at)
      const isMirrored =
        service !== undefined &&
        service.spec?.selector === undefined &&
        source !== undefined &&
        isWanted(source)
      await write(context, at.namespace ?? '', at.name, isMirrored ? planMirror(source) : [])
    })
  },
}

function isWanted({ metadata }: Persisted<Endpoints>): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    metadata.labels?.[skipLabel] !== 'true' &&
    metadata.annotations?.[leaderAnnotation] === undefined
  )
}

async function write(
  { client, signal }: ControllerContext,
  namespace: string,
  name: string,
  wanted: readonly EndpointSlice[],
): Promise<void> {
  // Asked of the server: a cache that lags behind our own writes would make a slice twice.
  const labelSelector = `${serviceLabel}=${name},${managedByLabel}=${manager}`
  const { items } = await client.list(kinds.endpointSlices, { namespace, labelSelector, signal })
  const left = new Map(items.map((slice) => [slice.metadata.name, slice]))
  for (const slice of wanted) {
    const current = [...left.values()].find((one) => keyOf(one) === keyOf(slice))
    if (current === undefined) {
      await client.create(kinds.endpointSlices, slice, { namespace, signal })
      continue
    }
    const at = { namespace, name: current.metadata.name }
    left.delete(at.name)
    if (contentOf(current) === contentOf(slice)) continue
    const { labels = {}, annotations = {} } = slice.metadata ?? {}
    const metadata = { ...current.metadata, labels, annotations }
    await client.replace(
      kinds.endpointSlices,
      at,
      { ...current, metadata, endpoints: slice.endpoints },
      { signal },
    )
  }
  for (const extra of left.keys()) {
    await unlessGone(client.delete(kinds.endpointSlices, { namespace, name: extra }, { signal }))
  }
}

function keyOf({ addressType, ports }: EndpointSlice): string {
  const named = (ports ?? []).map((port) => [
    port.name ?? '',
    port.port,
    port.protocol,
    port.appProtocol ?? '',
  ])
  return JSON.stringify([addressType, named])
}

function contentOf({ metadata, endpoints }: EndpointSlice): string {
  const sorted = (map: Record<string, string> = {}): string[][] =>
    Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
  const plain = endpoints.map((one) => [
    one.addresses,
    one.conditions?.ready,
    one.hostname,
    one.nodeName,
    one.targetRef?.kind,
    one.targetRef?.namespace,
    one.targetRef?.name,
    one.targetRef?.uid,
  ])
  return JSON.stringify([sorted(metadata?.labels), sorted(metadata?.annotations), plain])
}

/** One slice for each set of ports and family of addresses. */
function planMirror(source: Persisted<Endpoints>): EndpointSlice[] {
  const { name, uid, namespace, labels, annotations = {} } = source.metadata
  const { [lastAppliedAnnotation]: _applied, ...copied } = annotations
  const slices = new Map<string, EndpointSlice>()
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of source.subsets ?? []) {
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ].slice(0, mostAddresses)
    for (const { address, ready } of all) {
      const slice: EndpointSlice = {
        metadata: {
          generateName: `${name}-`,
          ...(namespace !== undefined && { namespace }),
          labels: { ...labels, [serviceLabel]: name, [managedByLabel]: manager },
          annotations: copied,
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true },
          ],
        },
        addressType: isIPv6(address.ip) ? 'IPv6' : 'IPv4',
        endpoints: [],
        ports: ports.map((port) => ({
          name: port.name ?? '',
          port: port.port,
          protocol: port.protocol ?? 'TCP',
          ...(port.appProtocol && { appProtocol: port.appProtocol }),
        })),
      }
      const key = keyOf(slice)
      const known = slices.get(key) ?? slice
      slices.set(key, known)
      const endpoint: Endpoint = {
        addresses: [address.ip],
        conditions: { ready },
        ...(address.hostname && { hostname: address.hostname }),
        ...(address.nodeName && { nodeName: address.nodeName }),
        ...(address.targetRef && { targetRef: address.targetRef }),
      }
      if (known.endpoints.length < mostAddresses) known.endpoints.push(endpoint)
    }
  }
  return [...slices.values()]
}
