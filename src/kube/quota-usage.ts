import type { Container, PersistentVolumeClaim, Pod, ResourceQuota, Service } from './kinds.ts'
import type { KubeObject } from './object.ts'
import { podLimits, podRequests } from './pod-resources.ts'
import { addQuantities, formatQuantity, parseQuantity, type Quantity, quantityOf } from './quantity.ts'

/** Amounts by quota key, such as `requests.cpu` or `count/jobs.batch`. */
export type Usage = Map<string, Quantity>

type ScopeRequirement = {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}

const computeNames = ['cpu', 'memory', 'ephemeral-storage'] as const
const podKeys = new Set([
  'pods',
  ...computeNames.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
])
const serviceKeys = new Set(['services', 'services.loadbalancers', 'services.nodeports'])
const claimKeys = new Set(['persistentvolumeclaims', 'requests.storage'])
const classClaims = '.storageclass.storage.k8s.io/persistentvolumeclaims'
const classStorage = '.storageclass.storage.k8s.io/requests.storage'
// Names from before `count/...` that count objects of the core group.
const plainCounts = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'])
// A quota on one of these forces every container to state the amount; others do not.
const mustBeStated = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
])

const one = quantityOf(1)

/**
 * The resource (`group/plural`) whose objects a quota key counts; undefined for keys that nothing is charged to.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function resourceOfQuotaKey(key: string): string | undefined {
  if (key.startsWith('count/')) {
    const name = key.slice('count/'.length)
    const dot = name.indexOf('.')
    return dot < 0 ? `/${name}` : `${name.slice(dot + 1)}/${name.slice(0, dot)}`
  }
  if (podKeys.has(key) || key.startsWith('hugepages-') || isExtendedRequest(key)) return '/pods'
  if (serviceKeys.has(key)) return '/services'
  if (claimKeys.has(key) || key.endsWith(classClaims) || key.endsWith(classStorage)) {
    return '/persistentvolumeclaims'
  }
  return plainCounts.has(key) ? `/${key}` : undefined
}

function isExtendedRequest(key: string): boolean {
  if (!key.startsWith('requests.')) return false
  const name = key.slice('requests.'.length)
  return name.startsWith('hugepages-') || (key.includes('/') && !key.includes('kubernetes.io/'))
}

/** The key under which objects of a resource are counted, whatever they are. */
function countKeyOf(resource: string): string {
  const [group = '', plural = ''] = resource.split('/')
  return group === '' ? `count/${plural}` : `count/${plural}.${group}`
}

/** All that one object takes, by quota key. `now` in milliseconds since the epoch. */
export function usageOf(resource: string, object: KubeObject, now: number): Usage {
  const usage: Usage = new Map([[countKeyOf(resource), one]])
  if (resource === '/pods') addPodUsage(usage, object as Pod, now)
  else if (resource === '/services') addServiceUsage(usage, object as Service)
  else if (resource === '/persistentvolumeclaims') addClaimUsage(usage, object as PersistentVolumeClaim)
  else if (resource.startsWith('/') && plainCounts.has(resource.slice(1))) usage.set(resource.slice(1), one)
  return usage
}

function addPodUsage(usage: Usage, pod: Pod, now: number): void {
  if (!isCharged(pod, now)) return
  usage.set('pods', one)
  addComputeUsage(usage, podRequests(pod), podLimits(pod))
}

function addComputeUsage(
  usage: Usage,
  requests: Readonly<Record<string, Quantity>>,
  limits: Readonly<Record<string, Quantity>>,
): void {
  for (const [name, amount] of Object.entries(requests)) {
    if ((computeNames as readonly string[]).includes(name) || name.startsWith('hugepages-')) {
      usage.set(name, amount)
      usage.set(`requests.${name}`, amount)
    } else if (name.includes('/') && !name.includes('kubernetes.io/')) {
      usage.set(`requests.${name}`, amount)
    }
  }
  for (const name of computeNames) {
    const limit = limits[name]
    if (limit !== undefined) usage.set(`limits.${name}`, limit)
  }
}

/** Pods that have ended, or that a lost node cannot end, take nothing but their place in `count/pods`. */
function isCharged(pod: Pod, now: number): boolean {
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata ?? {}
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true
  return now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

function addServiceUsage(usage: Usage, service: Service): void {
  const ports = service.spec?.ports ?? []
  usage.set('services', one)
  let nodePorts = 0
  let balancers = 0
  if (service.spec?.type === 'NodePort') nodePorts = ports.length
  else if (service.spec?.type === 'LoadBalancer') {
    balancers = 1
    nodePorts =
      service.spec.allocateLoadBalancerNodePorts === false
        ? ports.filter((port) => port.nodePort !== undefined && port.nodePort !== 0).length
        : ports.length
  }
  usage.set('services.nodeports', quantityOf(nodePorts))
  usage.set('services.loadbalancers', quantityOf(balancers))
}

function addClaimUsage(usage: Usage, claim: PersistentVolumeClaim): void {
  const storageClass =
    claim.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName
  usage.set('persistentvolumeclaims', one)
  if (storageClass) usage.set(storageClass + classClaims, one)
  const requested = claim.spec?.resources?.requests?.['storage']
  if (requested === undefined) return
  let amount = parseQuantity(requested)
  const allocated = claim.status?.allocatedResources?.['storage']
  if (allocated !== undefined) {
    const given = parseQuantity(allocated)
    if (given.nanos > amount.nanos) amount = given
  }
  usage.set('requests.storage', amount)
  if (storageClass) usage.set(storageClass + classStorage, amount)
}

/** The keys of a quota that objects of this resource are charged to. */
export function keysForResource(keys: Iterable<string>, resource: string): string[] {
  return [...keys].filter((key) => resourceOfQuotaKey(key) === resource)
}

/** Do the quota's scopes take in this object? Only pods can be within a scope. */
export function isInScope(quota: ResourceQuota, resource: string, object: KubeObject): boolean {
  const requirements: ScopeRequirement[] = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ]
  if (requirements.length === 0) return true
  if (resource !== '/pods') {
    return requirements.every((requirement) => isClaimInScope(requirement, resource, object))
  }
  const pod = object as Pod
  return requirements.every((requirement) => isPodInScope(requirement, pod))
}

function isClaimInScope(requirement: ScopeRequirement, resource: string, object: KubeObject): boolean {
  if (resource !== '/persistentvolumeclaims' || requirement.scopeName !== 'VolumeAttributesClass')
    return false
  const claim = object as { spec?: { volumeAttributesClassName?: string } }
  return nameMatches(requirement, claim.spec?.volumeAttributesClassName)
}

function isPodInScope(requirement: ScopeRequirement, pod: Pod): boolean {
  switch (requirement.scopeName) {
    case 'Terminating':
      return isDeadlined(pod)
    case 'NotTerminating':
      return !isDeadlined(pod)
    case 'BestEffort':
      return isBestEffort(pod)
    case 'NotBestEffort':
      return !isBestEffort(pod)
    case 'PriorityClass':
      return nameMatches(requirement, pod.spec?.priorityClassName)
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod)
    default:
      return false
  }
}

function nameMatches({ operator, values = [] }: ScopeRequirement, name: string | undefined): boolean {
  switch (operator) {
    case 'Exists':
      return Boolean(name)
    case 'DoesNotExist':
      return !name
    case 'In':
      return Boolean(name) && values.includes(name ?? '')
    case 'NotIn':
      return !name || !values.includes(name)
    default:
      return false
  }
}

function isDeadlined(pod: Pod): boolean {
  return pod.spec?.activeDeadlineSeconds !== undefined && pod.spec.activeDeadlineSeconds >= 0
}

/** No container asks for or limits CPU or memory. */
function isBestEffort(pod: Pod): boolean {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  return [...containers, { resources: podLevelResources(pod) }].every(({ resources }) =>
    [resources?.requests, resources?.limits].every(
      (list) =>
        list === undefined ||
        !['cpu', 'memory'].some((name) => {
          const amount = list[name]
          return amount !== undefined && parseQuantity(amount).nanos > 0n
        }),
    ),
  )
}

function podLevelResources(pod: Pod): Container['resources'] | undefined {
  // `kubernetes-types` is older than this field.
  return (pod.spec as { resources?: Container['resources'] } | undefined)?.resources
}

function reachesOtherNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  return [podAffinity, podAntiAffinity].some((rules) =>
    [
      ...(rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((rule) => rule.podAffinityTerm),
    ].some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined),
  )
}

/** What a pod leaves unsaid though the quota counts it: `must specify limits.cpu for: main`; undefined when all is said. */
export function unstatedResources(pod: Pod, keys: Iterable<string>): string | undefined {
  const needed = [...keys].filter((key) => mustBeStated.has(key)).sort()
  if (needed.length === 0) return undefined
  const atPodLevel = statedKeys(podLevelResources(pod))
  const missing = new Map<string, Set<string>>()
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
    const stated = statedKeys(container.resources)
    for (const key of needed) {
      if (stated.has(key) || atPodLevel.has(key)) continue
      const names = missing.get(key) ?? new Set()
      missing.set(key, names.add(container.name))
    }
  }
  if (missing.size === 0) return undefined
  const parts = needed.flatMap((key) => {
    const names = missing.get(key)
    return names === undefined ? [] : [`${key} for: ${[...names].sort().join(',')}`]
  })
  return `must specify ${parts.join('; ')}`
}

function statedKeys(resources: Container['resources']): Set<string> {
  const keys = new Set<string>()
  for (const name of Object.keys(resources?.requests ?? {})) keys.add(name).add(`requests.${name}`)
  for (const name of Object.keys(resources?.limits ?? {})) keys.add(`limits.${name}`)
  return keys
}

/**
 * What the objects of the quota's namespace take of it: the `status.used` it should have. `list` gives the objects of
 * a resource (`group/plural`) in that namespace, undefined when no such resource is served. Keys that nothing is
 * charged to are left out, as Kubernetes does.
 */
export function computeUsage(
  quota: ResourceQuota,
  list: (resource: string) => Iterable<KubeObject> | undefined,
  now: number,
): Record<string, string> {
  const keys = Object.keys(quota.spec?.hard ?? {})
  const used: Record<string, string> = {}
  for (const resource of new Set(keys.map(resourceOfQuotaKey))) {
    if (resource === undefined) continue
    const objects = list(resource)
    if (objects === undefined) continue
    const wanted = keysForResource(keys, resource)
    const sums: Usage = new Map()
    for (const object of objects) {
      if (!isInScope(quota, resource, object)) continue
      const usage = usageOf(resource, object, now)
      for (const key of wanted) {
        const amount = usage.get(key)
        if (amount !== undefined) sums.set(key, addQuantities(sums.get(key) ?? zero, amount))
      }
    }
    for (const key of wanted) used[key] = formatQuantity(sums.get(key) ?? zero)
  }
  return used
}

const zero = quantityOf(0)
