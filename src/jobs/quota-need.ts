import {
  addQuantities,
  type Container,
  isInScope,
  type KubeObject,
  keysForResource,
  parseQuantity,
  type Persisted,
  type Pod,
  type Quantity,
  quantityOf,
  type ResourceQuota,
  subtractQuantities,
  usageOf,
} from '../kube/index.ts'
import { missingPods, type ObservedJob } from './observed.ts'

/** Amounts by quota key. */
export type Amounts = ReadonlyMap<string, Quantity>

const zero = quantityOf(0)

/** A number of pods that look alike. */
export interface PodsWanted {
  readonly pod: Pod
  readonly count: number
}

/** A pod in the shape that quotas count: what they look at and no more. */
export function podAsObject({ metadata, spec, status }: Pod): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {}
  return {
    metadata: {
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
    },
    spec: spec && {
      ...spec,
      containers: spec.containers.map(withRequests),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(withRequests) }),
    },
    status,
  }
}

/** A pod as the server will see it once it has filled in what follows from the rest. */
export function completedPod(pod: Pod): Pod {
  const { spec } = podAsObject(pod) as Pick<Pod, 'spec'>
  return { ...pod, ...(spec && { spec }) }
}

/** The server takes a limit for the request of whoever names only that. */
function withRequests(container: Container): Container {
  const { resources } = container
  if (resources?.limits === undefined) return container
  return {
    ...container,
    resources: { ...resources, requests: { ...resources.limits, ...resources.requests } },
  }
}

/** What pods would take of a quota. */
export function needOf(pods: readonly PodsWanted[], quota: ResourceQuota, now: number): Amounts {
  const keys = keysForResource(Object.keys(quota.spec?.hard ?? {}), '/pods')
  const need = new Map<string, Quantity>()
  for (const { pod, count } of pods) {
    const charged = podAsObject(pod)
    if (!isInScope(quota, '/pods', charged)) continue
    const usage = usageOf('/pods', charged, now)
    for (const key of keys) {
      const amount = usage.get(key)
      if (amount === undefined) continue
      const times: Quantity = { nanos: amount.nanos * BigInt(count), format: amount.format }
      need.set(key, addQuantities(need.get(key) ?? zero, times))
    }
  }
  return need
}

/** One resource that a quota has too little of. */
export interface Shortfall {
  readonly quota: string
  readonly key: string
  readonly needed: Quantity
  readonly limit: Quantity
  /** Used, and promised to jobs that were there before. */
  readonly taken: Quantity
  readonly promised: Quantity
  readonly free: Quantity
}

/** Where a quota has too little for some pods, after what it gave out and `promised` to others. */
export function shortfalls(
  pods: readonly PodsWanted[],
  quotas: readonly Persisted<ResourceQuota>[],
  options: { now: number; promised?: readonly PodsWanted[]; isEmpty?: boolean },
): Shortfall[] {
  return quotas.flatMap((quota) => {
    const need = needOf(pods, quota, options.now)
    const promised = needOf(options.promised ?? [], quota, options.now)
    return [...need].flatMap(([key, needed]) => {
      const limit = parseQuantity(quota.spec?.hard?.[key] ?? '0')
      const used = options.isEmpty === true ? zero : parseQuantity(quota.status?.used?.[key] ?? '0')
      const taken = addQuantities(used, promised.get(key) ?? zero)
      const free = subtractQuantities(limit, taken)
      if (needed.nanos === 0n || needed.nanos <= free.nanos) return []
      const left = free.nanos < 0n ? zero : free
      return [
        {
          quota: quota.metadata.name,
          key,
          needed,
          limit,
          taken,
          promised: promised.get(key) ?? zero,
          free: left,
        },
      ]
    })
  })
}

/** What jobs that were there before still want: they come first. */
export function promisedBefore(
  job: { readonly name: string; readonly createdAt: string },
  jobs: readonly ObservedJob[],
): PodsWanted[] {
  return jobs
    .filter(
      (other) =>
        other.name !== job.name &&
        (job.createdAt === '' || other.object.metadata.creationTimestamp < job.createdAt) &&
        other.state !== 'SUSPENDED',
    )
    .flatMap(missingPods)
}
