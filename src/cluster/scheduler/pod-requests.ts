import type { PodSpec } from '../../kube/index.ts'
import { type Amounts, type ResourceList, addTo, amountsOf, largest, noAmounts, sum } from './amounts.ts'

/** What the scheduler assumes of a container without requests when it compares nodes, not when it fits. */
const assumedCpu = 100
const assumedMemory = 200 * 1024 * 1024

/** What a pod takes from a node. */
export interface PodRequests {
  readonly requests: Amounts
  /** CPU and memory with something assumed for containers that name none: spreads pods without requests. */
  readonly scoredCpu: number
  readonly scoredMemory: number
}

type Container = PodSpec['containers'][number]

/**
 * The effective requests of a pod: all containers together, or the largest step of its start-up, whichever is more,
 * and its overhead
 * (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers).
 */
export function podRequests(spec: PodSpec): PodRequests {
  const first = spec.containers[0]
  if (spec.containers.length === 1 && first !== undefined && !spec.initContainers && !spec.overhead) {
    const requests = withPodLevel(spec, amountsOf(first.resources?.requests))
    const isCpuAssumed = first.resources?.requests?.['cpu'] === undefined
    const isMemoryAssumed = first.resources?.requests?.['memory'] === undefined
    return {
      requests,
      scoredCpu: isCpuAssumed && requests.cpu === 0 ? assumedCpu : requests.cpu,
      scoredMemory: isMemoryAssumed && requests.memory === 0 ? assumedMemory : requests.memory,
    }
  }
  const plain = effective(spec, (container) => amountsOf(container.resources?.requests))
  const scored = effective(spec, (container) => {
    const requests = container.resources?.requests
    const amounts = amountsOf(requests)
    return {
      cpu: requests?.['cpu'] === undefined ? assumedCpu : amounts.cpu,
      memory: requests?.['memory'] === undefined ? assumedMemory : amounts.memory,
      others: amounts.others,
    }
  })
  return { requests: plain, scoredCpu: scored.cpu, scoredMemory: scored.memory }
}

function effective(spec: PodSpec, requestsOf: (container: Container) => Amounts): Amounts {
  const running = noAmounts()
  for (const container of spec.containers) addTo(running, requestsOf(container))
  const sidecars = noAmounts()
  let startUp = noAmounts()
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      addTo(sidecars, requestsOf(container))
      startUp = largest(startUp, sidecars)
    } else {
      startUp = largest(startUp, sum(requestsOf(container), sidecars))
    }
  }
  const total = withPodLevel(spec, largest(sum(running, sidecars), startUp))
  return spec.overhead ? sum(total, amountsOf(spec.overhead)) : total
}

/** Requests named for the pod as a whole replace those of its containers. */
function withPodLevel(spec: PodSpec, amounts: Amounts): Amounts {
  const resources = (spec as { resources?: { requests?: ResourceList } }).resources
  if (resources?.requests === undefined) return amounts
  const named = amountsOf(resources.requests)
  const total = sum(amounts, noAmounts())
  if (resources.requests['cpu'] !== undefined) total.cpu = named.cpu
  if (resources.requests['memory'] !== undefined) total.memory = named.memory
  for (const [name, amount] of named.others) total.others.set(name, amount)
  return total
}
