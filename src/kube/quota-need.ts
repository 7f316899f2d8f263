import type { Container, Pod, ResourceQuota } from './kinds.ts'
import type { KubeObject } from './object.ts'
import { addQuantities, multiplyQuantity, quantityOf } from './quantity.ts'
import { isInScope, keysForResource, type Usage, usageOf } from './quota-usage.ts'

/** A number of pods that look alike. */
export interface PodsWanted {
  readonly pod: Pod
  readonly count: number
}

const zero = quantityOf(0)

/** What pods would take of a quota, by key; nothing where its scopes leave them out. */
export function needOf(pods: readonly PodsWanted[], quota: ResourceQuota, now: number): Usage {
  const keys = keysForResource(Object.keys(quota.spec?.hard ?? {}), '/pods')
  const isScoped = quota.spec?.scopes !== undefined || quota.spec?.scopeSelector !== undefined
  const need: Usage = new Map()
  for (const { pod, count } of pods) {
    if (isScoped && !isInScope(quota, '/pods', podAsObject(pod))) continue
    const usage = usageOfPod(pod, now)
    for (const key of keys) {
      const amount = usage.get(key)
      if (amount !== undefined)
        need.set(key, addQuantities(need.get(key) ?? zero, multiplyQuantity(amount, count)))
    }
  }
  return need
}

// Jobs that wait are asked about again and again: parsing their pods' amounts each time would take longer than all the rest.
const usages = new WeakMap<Pod, Usage>()

/** All that a pod takes, by quota key. Never change the pod afterwards. */
export function usageOfPod(pod: Pod, now: number): Usage {
  let usage = usages.get(pod)
  if (usage === undefined) {
    usage = usageOf('/pods', podAsObject(pod), now)
    usages.set(pod, usage)
  }
  return usage
}

/** A pod in the shape that quotas count: what they look at and no more. */
function podAsObject(pod: Pod): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata ?? {}
  return {
    metadata: {
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
    },
    spec: completedPod(pod).spec,
    status: pod.status,
  }
}

/** A pod as the server will charge it: who names only a limit asks for as much. */
export function completedPod(pod: Pod): Pod {
  const { spec } = pod
  if (spec === undefined) return pod
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(withRequests),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(withRequests) }),
    },
  }
}

function withRequests(container: Container): Container {
  const { resources } = container
  if (resources?.limits === undefined) return container
  return {
    ...container,
    resources: { ...resources, requests: { ...resources.limits, ...resources.requests } },
  }
}
