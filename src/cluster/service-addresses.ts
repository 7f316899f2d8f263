import type { Service } from 'kubernetes-types/core/v1.js'
import { type IPAddress, isStatus, type KubeObject, readAddress, timestamp } from '../kube/index.ts'
import { follow, keepUp, makeOwn, type OwnParts, ownRequest } from './own-objects.ts'
import { keyOf, prefixOf } from './registry/index.ts'
import { allocatorLabel, usualRange } from './registry/resources/service/ranges.ts'
import type { Change, Store } from './storage/index.ts'

const apiVersion = 'networking.k8s.io/v1'
const services = '/services'
const addresses = 'networking.k8s.io/ipaddresses'
const manager = 'kube-apiserver'

/** Which service is to have an address; undefined: none. */
type Wanted = Map<string, { readonly namespace: string; readonly name: string } | undefined>

/**
 * Keeps the range of addresses that every cluster has (`ServiceCIDR kubernetes`), and an IPAddress for each address that a
 * service has: made with the service, gone with it, and made again when somebody removes it.
 */
export function keepServiceAddresses(parts: OwnParts): void {
  const all = (): Promise<void> => settle(parts, wantedNow(parts.store))
  keepUp(parts, async () => {
    await ensureRange(parts)
    await all()
  })
  follow(parts, services, { all, at: (changes) => settle(parts, wantedAfter(changes)) })
  follow(parts, addresses, { all, at: (changes) => settle(parts, wantedBack(parts, changes)) })
}

async function ensureRange(parts: OwnParts): Promise<void> {
  const condition = {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: timestamp(parts.now()),
    reason: '',
    message: 'Kubernetes Service CIDR is ready',
  }
  const range = {
    apiVersion,
    kind: 'ServiceCIDR',
    // As its controller would make it, in one write.
    metadata: { name: usualRange.name, finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    spec: { cidrs: [usualRange.text] },
    status: { conditions: [condition] },
  }
  await makeOwn(parts, range, manager)
}

/** Every address that a service has, and every other of which there is an object. */
function wantedNow(store: Store<KubeObject>): Wanted {
  const wanted: Wanted = new Map()
  for (const { value } of store.scan(prefixOf(addresses, undefined)))
    wanted.set(value.metadata.name ?? '', undefined)
  for (const { value } of store.scan(prefixOf(services, undefined))) claim(wanted, value)
  return wanted
}

/** In the order of the changes: who comes last has the address. */
function wantedAfter(changes: readonly Change<KubeObject>[]): Wanted {
  const wanted: Wanted = new Map()
  for (const { previous, current } of changes) {
    for (const address of addressesOf(previous?.value)) wanted.set(address, undefined)
    if (current) claim(wanted, current.value)
  }
  return wanted
}

/** The addresses of services of which somebody removed an object. */
function wantedBack({ store }: OwnParts, changes: readonly Change<KubeObject>[]): Wanted {
  const wanted: Wanted = new Map()
  for (const { previous, current } of changes) {
    const { parentRef } = (previous?.value as IPAddress | undefined)?.spec ?? {}
    if (current || parentRef?.resource !== 'services') continue
    const service = store.get(keyOf(services, parentRef.namespace, parentRef.name ?? ''))
    if (service) claim(wanted, service.value)
  }
  return wanted
}

function claim(wanted: Wanted, service: KubeObject): void {
  const { namespace = '', name = '' } = service.metadata
  for (const address of addressesOf(service)) wanted.set(address, { namespace, name })
}

function addressesOf(service: KubeObject | undefined): string[] {
  return ((service as Service | undefined)?.spec?.clusterIPs ?? []).filter((one) => one !== 'None')
}

async function settle(parts: OwnParts, wanted: Wanted): Promise<void> {
  await Promise.all(
    [...wanted].map(async ([address, owner]) => {
      const live = parts.store.latest(keyOf(addresses, undefined, address))?.value
      if (live && isOurs(live) && !isOf(live, owner)) await remove(parts, live)
      if (owner && !(live && isOf(live, owner))) await makeOwn(parts, addressOf(address, owner), manager)
    }),
  )
}

const isOurs = ({ metadata }: KubeObject): boolean =>
  Object.entries(allocatorLabel).every(([key, value]) => metadata.labels?.[key] === value)

function isOf(live: KubeObject, owner: ReturnType<Wanted['get']>): boolean {
  const { parentRef } = (live as IPAddress).spec ?? {}
  const isOfService = parentRef?.resource === 'services' && !parentRef.group
  return isOfService && parentRef.namespace === owner?.namespace && parentRef.name === owner?.name
}

function addressOf(
  address: string,
  owner: { readonly namespace: string; readonly name: string },
): KubeObject {
  const family = readAddress(address)?.family === 6 ? 'IPv6' : 'IPv4'
  return {
    apiVersion,
    kind: 'IPAddress',
    metadata: { name: address, labels: { 'ipaddress.kubernetes.io/ip-family': family, ...allocatorLabel } },
    spec: { parentRef: { group: '', resource: 'services', ...owner } },
  }
}

async function remove(parts: OwnParts, live: KubeObject): Promise<void> {
  const request = ownRequest(parts, { ...live, apiVersion, kind: 'IPAddress' }, manager)
  try {
    if (request) await parts.registry.delete({ ...request, verb: 'delete' }, {})
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
  }
}
