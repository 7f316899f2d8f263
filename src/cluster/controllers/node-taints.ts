import { matchesTaint, type Node, type Persisted, type Taint, type Toleration } from '../../kube/index.ts'

const prefix = 'node.kubernetes.io/'
const ownKeys = new Set(
  [
    'not-ready',
    'unreachable',
    'memory-pressure',
    'disk-pressure',
    'pid-pressure',
    'network-unavailable',
    'unschedulable',
  ].map((name) => prefix + name),
)
const pressures: Readonly<Record<string, string>> = {
  MemoryPressure: 'memory-pressure',
  DiskPressure: 'disk-pressure',
  PIDPressure: 'pid-pressure',
  NetworkUnavailable: 'network-unavailable',
}

export function readiness(node: Persisted<Node>): string {
  return (node.status?.conditions ?? []).find(({ type }) => type === 'Ready')?.status ?? 'Unknown'
}

/**
 * The taints a node should have: what its conditions call for, and whatever others have put on it; undefined when it
 * has them. `mayEvict` is false while no node at all is well: then the fault is hardly the nodes'.
 */
export function wantedTaints(
  node: Persisted<Node>,
  options: { mayEvict: boolean; time: string },
): Taint[] | undefined {
  const before = node.spec?.taints ?? []
  const wanted: Taint[] = []
  const add = (name: string, effect: string): void => {
    wanted.push({ key: prefix + name, effect })
  }
  const ready = (node.status?.conditions ?? []).find(({ type }) => type === 'Ready')
  if (ready?.status === 'False') add('not-ready', 'NoSchedule')
  if (ready?.status === 'Unknown') add('unreachable', 'NoSchedule')
  if (options.mayEvict) {
    if (ready?.status === 'False') add('not-ready', 'NoExecute')
    if (ready?.status === 'Unknown') add('unreachable', 'NoExecute')
  }
  for (const { type, status } of node.status?.conditions ?? []) {
    const name = pressures[type]
    if (name !== undefined && status === 'True') add(name, 'NoSchedule')
  }
  if (node.spec?.unschedulable) add('unschedulable', 'NoSchedule')
  const isWanted = (taint: Taint): boolean =>
    wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect)
  // A node that has not reported yet keeps the taint with which it was made.
  const kept = before.filter(
    (taint) =>
      !ownKeys.has(taint.key) ||
      isWanted(taint) ||
      (ready === undefined && taint.key === `${prefix}not-ready` && taint.effect === 'NoSchedule'),
  )
  const added = wanted
    .filter(({ key, effect }) => !before.some((taint) => taint.key === key && taint.effect === effect))
    .map((taint) => ({ ...taint, timeAdded: options.time }))
  return added.length === 0 && kept.length === before.length ? undefined : [...kept, ...added]
}

export function evictingTaints(node: Persisted<Node> | undefined): Taint[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
}

/**
 * When a pod has to leave a node with these taints: the time in milliseconds, or never (undefined). `since` is when
 * the taint was first seen, for taints that do not say when they were put there.
 */
export function leavesAt(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  since: number,
): number | undefined {
  let earliest: number | undefined
  for (const taint of taints) {
    const matching = tolerations.filter((toleration) => matchesTaint(toleration, taint))
    const from = taint.timeAdded === undefined ? since : Date.parse(taint.timeAdded)
    if (matching.length === 0) return from
    for (const { tolerationSeconds } of matching) {
      if (tolerationSeconds === undefined) continue
      const time = from + Math.max(0, tolerationSeconds) * 1000
      if (earliest === undefined || time < earliest) earliest = time
    }
  }
  return earliest
}
