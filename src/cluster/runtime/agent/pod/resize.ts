import {
  type Container,
  parseQuantity,
  type Persisted,
  type Pod,
  podRequests,
  quantityOf,
} from '../../../../kube/index.ts'
import { containersOf } from '../container/container-kinds.ts'
import type { ContainerView } from '../container/container-view.ts'

/** A condition about a change of CPU and memory that is not in force. */
export interface ResizeNote {
  readonly type: 'PodResizePending' | 'PodResizeInProgress'
  readonly reason?: string
  readonly message?: string
}

type Resources = NonNullable<Container['resources']>

/** A container whose spec wants other amounts than are in force. */
export interface WantedResize {
  readonly view: ContainerView
  readonly resources: Resources
  /** The container's own policy: it learns of the change by beginning anew. */
  readonly isRestart: boolean
}

const resized = ['cpu', 'memory'] as const

export function wantedResizes(pod: Persisted<Pod>, views: readonly ContainerView[]): WantedResize[] {
  return containersOf(pod).flatMap(([kind, { name, resources = {}, resizePolicy = [] }]) => {
    const view = views.find((one) => one.name === name)
    if (view === undefined || kind === 'init') return []
    const changed = resized.filter((what) => differs(what, resources, view.resources))
    if (changed.length === 0) return []
    const isRestart = resizePolicy.some(
      ({ resourceName, restartPolicy }) =>
        restartPolicy === 'RestartContainer' && changed.some((what) => what === resourceName),
    )
    return [{ view, resources, isRestart }]
  })
}

function differs(what: 'cpu' | 'memory', wanted: Resources, inForce: Resources): boolean {
  return (['requests', 'limits'] as const).some((side) => {
    const [a, b] = [wanted[side]?.[what], inForce[side]?.[what]]
    return a === undefined || b === undefined ? a !== b : parseQuantity(a).nanos !== parseQuantity(b).nanos
  })
}

/** Why a node has no room for the pod as it is to be: ever, or for now. */
export function roomFault(
  pod: Persisted<Pod>,
  others: Iterable<Persisted<Pod>>,
  allocatable: Readonly<Record<string, string>>,
): ResizeNote | undefined {
  const asked = podRequests(pod)
  const used = [...others].map((one) => podRequests(one))
  for (const what of resized) {
    const capacity = parseQuantity(allocatable[what] ?? '0').nanos
    const requested = (asked[what] ?? quantityOf(0)).nanos
    const taken = used.reduce((sum, one) => sum + (one[what]?.nanos ?? 0n), 0n)
    const shown = (nanos: bigint): string => String(nanos / (what === 'cpu' ? 1_000_000n : 1_000_000_000n))
    if (requested > capacity)
      return {
        type: 'PodResizePending',
        reason: 'Infeasible',
        message: `Node didn't have enough capacity: ${what}, requested: ${shown(requested)}, capacity: ${shown(capacity)}`,
      }
    if (requested + taken > capacity)
      return {
        type: 'PodResizePending',
        reason: 'Deferred',
        message: `Node didn't have enough resource: ${what}, requested: ${shown(requested)}, used: ${shown(taken)}, capacity: ${shown(capacity)}`,
      }
  }
  return undefined
}
