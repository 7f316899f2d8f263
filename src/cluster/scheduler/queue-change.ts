import type { Change } from './filter.ts'
import type { PodInfo } from './pod-info.ts'

/** A change, and for which pods it may make a difference. */
export interface QueueChange {
  readonly change: Change
  readonly mayFit?: (pod: PodInfo) => boolean
}

/** Past a few nodes with room it is cheaper to let everybody try than to ask for each node. */
const nodesAsked = 8

/** The changes of a burst, those of one kind taken together where there are many. */
export function merged(changes: readonly QueueChange[]): QueueChange[] {
  const kinds = new Map<Change, QueueChange[]>()
  for (const change of changes) {
    const same = kinds.get(change.change) ?? []
    if (same.length <= nodesAsked) same.push(change)
    kinds.set(change.change, same)
  }
  return [...kinds.entries()].flatMap(([change, same]) => {
    const isForAll = same.length > nodesAsked || same.some(({ mayFit }) => mayFit === undefined)
    return isForAll ? [{ change }] : same
  })
}
