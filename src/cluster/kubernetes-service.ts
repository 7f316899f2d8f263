import { isIPv6 } from 'node:net'
import { isStatus, type KubeObject } from '../kube/index.ts'
import { requestFor } from './bootstrap.ts'
import type { Catalog, Registry, ResourceRequest } from './registry/index.ts'

/** Where the server listens. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/** The first address of services, which the server's own has in every cluster. */
const clusterIP = '10.96.0.1'
const name = 'kubernetes'
const namespace = 'default'
const repairMs = 10_000

/**
 * Keeps the service `kubernetes` of namespace `default` and what is behind it, by which clients inside a cluster find its
 * API server: made at start, led to where the server listens now, and made again when somebody removes them.
 *
 * Resolves when they are there, or cannot be now: a quota may be in the way, which is no reason not to start.
 */
export async function keepKubernetesService(options: {
  readonly catalog: Catalog
  readonly registry: Registry
  readonly address: ServerAddress
  readonly signal: AbortSignal
  onFault(error: unknown): void
}): Promise<void> {
  const { catalog, registry, address, signal, onFault } = options
  const wanted = objectsFor(address)
  const keep = async (): Promise<void> => {
    try {
      await Promise.all(wanted.map((object) => write(catalog, registry, object)))
    } catch (error) {
      if (!signal.aborted) onFault(error)
    }
  }
  await keep()
  const timer = setInterval(() => void keep(), repairMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}

function objectsFor({ host, port }: ServerAddress): KubeObject[] {
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        type: 'ClusterIP',
        clusterIP,
        clusterIPs: [clusterIP],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        sessionAffinity: 'None',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name, namespace, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: host }], ports }],
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: isIPv6(host) ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [host], conditions: { ready: true } }],
      ports,
    },
  ]
}

async function write(catalog: Catalog, registry: Registry, wanted: KubeObject): Promise<void> {
  const request = ownRequest(catalog, wanted)
  if (!request) return
  try {
    const live = registry.get(request).value
    if (leadsTo(live) === leadsTo(wanted)) return
    await registry.update({ ...request, verb: 'update' }, { next: (current) => led(current, wanted) })
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    try {
      await registry.create({ ...request, verb: 'create' }, structuredClone(wanted))
    } catch (race) {
      // Whoever was faster is looked at the next time.
      if (!isStatus(race, 'AlreadyExists')) throw race
    }
  }
}

/**
 * The server's own endpoints may lie where users' may not: a loopback address means another machine to everybody else,
 * but all nodes of this server are on its machine.
 */
function ownRequest(catalog: Catalog, object: KubeObject): ResourceRequest | undefined {
  const request = requestFor(catalog, object)
  if (!request) return undefined
  const own = { ...request, fieldManager: 'kube-apiserver' }
  if (object.kind === 'Service') return own
  return {
    ...own,
    resource: { ...request.resource, validate: () => [], validateUpdate: () => [] },
  }
}

const leading = ['subsets', 'addressType', 'endpoints', 'ports'] as const

/** What of an object says where the server is. */
function leadsTo(object: KubeObject): string {
  return JSON.stringify([targetOf(object), ...leading.map((field) => object[field])])
}

function targetOf(object: KubeObject): unknown {
  return specOf(object)?.ports?.[0]?.targetPort
}

function led(current: KubeObject, wanted: KubeObject): KubeObject {
  const next = { ...current }
  for (const field of leading) if (wanted[field] !== undefined) next[field] = wanted[field]
  const spec = specOf(current)
  if (!spec) return next
  const [first, ...rest] = spec.ports ?? []
  return { ...next, spec: { ...spec, ports: [{ ...first, targetPort: targetOf(wanted) }, ...rest] } }
}

function specOf(object: KubeObject): { ports?: { targetPort?: unknown }[] } | undefined {
  return object['spec'] as { ports?: { targetPort?: unknown }[] } | undefined
}
