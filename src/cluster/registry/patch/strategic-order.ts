import type { Json } from '../../../kube/index.ts'
import { isObject, own } from './put.ts'

/** By what a merged list is put in order. */
export interface Ordering {
  /** Items of the patch, in the order it wants. */
  readonly order: readonly Json[]
  /** The list as the server had it. */
  readonly serverOrder: readonly Json[]
  /** Empty for lists of scalars. */
  readonly mergeKey: string
}

/** Orders a merged list: the items that the patch names as it names them, the others where the server had them. */
export function inOrderOf(merged: readonly Json[], ordering: Ordering): Json[] {
  const { order, serverOrder } = ordering
  const place = places(order, ordering.mergeKey)
  const serverPlace = places(serverOrder, ordering.mergeKey)
  const named: Json[] = []
  const others: Json[] = []
  for (const item of merged) (place.has(identity(item, ordering.mergeKey)) ? named : others).push(item)
  const by = (from: ReadonlyMap<Json | undefined, number>) => (a: Json, b: Json) =>
    (from.get(identity(a, ordering.mergeKey)) ?? from.size) -
    (from.get(identity(b, ordering.mergeKey)) ?? from.size)
  named.sort(by(place))
  others.sort(by(serverPlace))
  // An item that the patch does not name comes before the first named one that the server had after it.
  const result: Json[] = []
  let at = 0
  for (const item of others) {
    const here = serverPlace.get(identity(item, ordering.mergeKey))
    for (; at < named.length; at++) {
      const next = named[at]
      const there = next === undefined ? undefined : serverPlace.get(identity(next, ordering.mergeKey))
      if (here !== undefined && there !== undefined && here < there) break
      if (next !== undefined) result.push(next)
    }
    result.push(item)
  }
  return [...result, ...named.slice(at)]
}

function places(list: readonly Json[], mergeKey: string): Map<Json | undefined, number> {
  const found = new Map<Json | undefined, number>()
  for (const [index, item] of list.entries()) {
    const key = identity(item, mergeKey)
    if (!found.has(key)) found.set(key, index)
  }
  return found
}

function identity(item: Json, mergeKey: string): Json | undefined {
  return mergeKey !== '' && isObject(item) ? own(item, mergeKey) : item
}
