import { addQuantities, parseQuantity, type Quantity } from './quantity.ts'

/** Amounts by resource name, as in `cpu` or `nvidia.com/gpu`. */
export type Amounts = Record<string, Quantity>

/** The parts of a pod that decide about its resources. */
export interface PodResources {
  readonly spec?: {
    readonly containers?: readonly ContainerResources[]
    readonly initContainers?: readonly ContainerResources[]
    readonly overhead?: Readonly<Record<string, string>>
    /** Amounts for the pod as a whole take the place of what its containers ask for. */
    readonly resources?: Requirements
  }
}

interface Requirements {
  readonly requests?: Readonly<Record<string, string>>
  readonly limits?: Readonly<Record<string, string>>
}

interface ContainerResources {
  readonly resources?: Requirements
  /** `Always` makes an init container a sidecar, which runs beside all others. */
  readonly restartPolicy?: string
}

type Side = 'requests' | 'limits'

/** What the scheduler must find room for: containers and sidecars together, or the largest init container, and the overhead. */
export function podRequests(pod: PodResources): Amounts {
  const amounts = overall(pod, 'requests')
  return pod.spec?.overhead ? sum(amounts, pod.spec.overhead) : amounts
}

/** The most that the pod may use. A resource without a limit in any container is not there. */
export function podLimits(pod: PodResources): Amounts {
  const amounts = overall(pod, 'limits')
  for (const [name, text] of Object.entries(pod.spec?.overhead ?? {})) {
    const amount = amounts[name]
    if (amount !== undefined) amounts[name] = addQuantities(amount, parseQuantity(text))
  }
  return amounts
}

/** How soon the pod is evicted when memory runs short. */
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** The class of a pod (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/). */
export function qosClass(pod: PodResources): QosClass {
  const { containers = [], initContainers = [], resources } = pod.spec ?? {}
  const isPodLevel = resources?.requests !== undefined || resources?.limits !== undefined
  const parts: readonly ContainerResources[] = isPodLevel
    ? [{ resources }]
    : [...containers, ...initContainers]
  let requests: Amounts = {}
  let limits: Amounts = {}
  let isGuaranteed = true
  for (const part of parts) {
    const asked = cpuAndMemory(part.resources?.requests)
    const most = cpuAndMemory(part.resources?.limits)
    if (most['cpu'] === undefined || most['memory'] === undefined) isGuaranteed = false
    requests = sum(requests, asked)
    limits = sum(limits, most)
  }
  const names = Object.keys(requests)
  if (names.length === 0 && Object.keys(limits).length === 0) return 'BestEffort'
  const areEqual =
    names.length === Object.keys(limits).length &&
    names.every((name) => requests[name]?.nanos === limits[name]?.nanos)
  return isGuaranteed && areEqual ? 'Guaranteed' : 'Burstable'
}

function cpuAndMemory(amounts: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['cpu', 'memory']) {
    const text = amounts?.[name]
    if (text !== undefined && parseQuantity(text).nanos > 0n) found[name] = text
  }
  return found
}

function overall(pod: PodResources, side: Side): Amounts {
  const { containers = [], initContainers = [], resources } = pod.spec ?? {}
  let running: Amounts = {}
  for (const container of containers) running = sum(running, container.resources?.[side])
  let sidecars: Amounts = {}
  let starting: Amounts = {}
  for (const container of initContainers) {
    const own = container.resources?.[side]
    if (container.restartPolicy === 'Always') {
      running = sum(running, own)
      sidecars = sum(sidecars, own)
      starting = largest(starting, sidecars)
    } else {
      starting = largest(starting, sum(sidecars, own))
    }
  }
  const amounts = largest(running, starting)
  for (const [name, text] of Object.entries(resources?.[side] ?? {})) {
    if (name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')) {
      amounts[name] = parseQuantity(text)
    }
  }
  return amounts
}

function sum(left: Amounts, right: Readonly<Record<string, string>> | Amounts | undefined): Amounts {
  if (right === undefined) return left
  const total = { ...left }
  for (const name in right) {
    const value = right[name]
    if (value === undefined) continue
    const amount = typeof value === 'string' ? parseQuantity(value) : value
    const before = total[name]
    total[name] = before === undefined ? amount : addQuantities(before, amount)
  }
  return total
}

function largest(left: Amounts, right: Amounts): Amounts {
  const most = { ...left }
  for (const name in right) {
    const amount = right[name]
    const before = most[name]
    if (amount !== undefined && (before === undefined || amount.nanos > before.nanos)) most[name] = amount
  }
  return most
}
