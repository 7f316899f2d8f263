import {
  type Endpoints,
  type Persisted,
  type Pod,
  type Service,
  WorkQueue,
  kinds,
  parseKey,
} from '../../kube/index.ts'
import { type Controller, isExpectedRace, reconcile, unlessGone } from './controller.ts'
import { enqueueServices, hostnameOf, isHeadless, isReady, podsOf, targetPort } from './service-pods.ts'

type Subset = NonNullable<Endpoints['subsets']>[number]
type Address = NonNullable<Subset['addresses']>[number]
type Port = NonNullable<Subset['ports']>[number]

const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const headlessLabel = 'service.kubernetes.io/headless'

/** Keeps for every service with a selector the list of addresses behind it. */
export const endpointsController: Controller = {
  name: 'endpoint-controller',
  async run(context) {
    const { client, informers, signal } = context
    const services = informers.of(kinds.services)
    const endpoints = informers.of(kinds.endpoints)
    await Promise.all([services.synced, endpoints.synced, informers.of(kinds.pods).synced])
    const queue = new WorkQueue()
    enqueueServices(informers, queue)
    await reconcile(context, queue, async (key) => {
      const at = parseKey(key)
      const namespace = at.namespace ?? ''
      const service = services.get(at)
      const current = endpoints.get(at)
      if (service === undefined) {
        const isOurs = current?.metadata.labels?.[managedByLabel] === 'endpoint-controller'
        if (isOurs) await unlessGone(client.delete(kinds.endpoints, at, { signal }))
        return
      }
      if (service.metadata.deletionTimestamp !== undefined || !hasEndpoints(service)) return
      const subsets = subsetsOf(service, podsOf(informers, service))
      const labels = labelsOf(service)
      const isRight =
        current !== undefined &&
        JSON.stringify(current.subsets ?? []) === JSON.stringify(subsets) &&
        sameLabels(current.metadata.labels, labels)
      if (isRight) return
      try {
        if (current === undefined) {
          const metadata = { name: service.metadata.name, namespace, labels }
          await client.create(kinds.endpoints, { metadata, subsets }, { namespace, signal })
        } else {
          await client.replace(
            kinds.endpoints,
            at,
            { ...current, metadata: { ...current.metadata, labels }, subsets },
            { signal },
          )
        }
      } catch (error) {
        if (isExpectedRace(error)) throw error
        // A namespace on its way out takes nothing new.
        if (service.metadata.deletionTimestamp === undefined) throw error
      }
    })
  },
}

export function hasEndpoints(service: Persisted<Service>): boolean {
  return service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0
}

function labelsOf(service: Persisted<Service>): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {}
  return {
    ...labels,
    [managedByLabel]: 'endpoint-controller',
    ...(isHeadless(service) && { [headlessLabel]: '' }),
  }
}

function sameLabels(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>>,
): boolean {
  const left = Object.entries(a ?? {})
  return left.length === Object.keys(b).length && left.every(([key, value]) => b[key] === value)
}

/** Addresses grouped by the ports they serve. */
function subsetsOf(service: Persisted<Service>, pods: readonly Persisted<Pod>[]): Subset[] {
  const toleratesUnready = service.spec?.publishNotReadyAddresses === true
  const groups = new Map<string, { ports: Port[]; ready: Address[]; notReady: Address[] }>()
  const servicePorts = service.spec?.ports ?? []
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined && !toleratesUnready) continue
    const ports = servicePorts.flatMap((port): Port[] => {
      const number = targetPort(port, pod)
      if (number === undefined) return []
      return [
        {
          ...(port.name && { name: port.name }),
          port: number,
          protocol: port.protocol ?? 'TCP',
          ...(port.appProtocol && { appProtocol: port.appProtocol }),
        },
      ]
    })
    // A headless service may do without ports; any other needs one to lead somewhere.
    if (ports.length === 0 && !(servicePorts.length === 0 && isHeadless(service))) continue
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] }
    groups.set(key, group)
    const isUsable = toleratesUnready || isReady(pod)
    ;(isUsable ? group.ready : group.notReady).push(addressOf(service, pod))
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 && { addresses: ready.sort(byIp) }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady.sort(byIp) }),
      ...(ports.length > 0 && { ports }),
    }))
}

function addressOf(service: Persisted<Service>, pod: Persisted<Pod>): Address {
  const hostname = hostnameOf(service, pod)
  const { name, namespace, uid } = pod.metadata
  return {
    ip: pod.status?.podIP ?? '',
    ...(hostname !== undefined && { hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', ...(namespace !== undefined && { namespace }), name, uid },
  }
}

function byIp(a: Address, b: Address): number {
  return a.ip < b.ip ? -1 : Number(a.ip > b.ip)
}
