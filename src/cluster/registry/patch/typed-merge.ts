import type { Json, JsonObject } from '../../../kube/index.ts'
import { deduced, type FieldShape, type ListShape } from './field-shape.ts'
import { type FieldTree, isEmpty, isMember } from './field-tree.ts'
import { elementOf, isLeaf } from './field-walk.ts'
import { isObject, put } from './put.ts'

/** Lays an applied configuration over a live object: its leaves win, maps and keyed lists are merged. */
export function mergeTyped(
  live: Json | undefined,
  config: Json | undefined,
  shape: FieldShape,
): Json | undefined {
  if (config === undefined) return live
  if (live === undefined || live === null || config === null || isLeaf(shape)) return config
  if (isObject(live) && isObject(config)) return mergeObjects(live, config, shape)
  if (Array.isArray(live) && Array.isArray(config) && shape.is === 'list')
    return mergeLists(live, config, shape)
  return config
}

function mergeObjects(live: JsonObject, config: JsonObject, shape: FieldShape): JsonObject {
  const result = { ...live }
  for (const key of Object.keys(config)) {
    const before = Object.hasOwn(live, key) ? live[key] : undefined
    put(result, key, mergeTyped(before, config[key], innerShape(shape, key)))
  }
  return result
}

/** The shape of a member of an object. */
export function innerShape(shape: FieldShape, key: string): FieldShape {
  if (shape.is === 'struct') return shape.fields.get(key)?.shape ?? shape.rest ?? deduced
  return shape.is === 'map' ? shape.value : deduced
}

/**
 * Items that both have stand where the configuration has them; those of the live list alone keep their place between
 * the shared ones around them.
 */
function mergeLists(live: Json[], config: Json[], shape: ListShape): Json[] {
  const liveElements = live.map((item) => elementOf(item, shape))
  const configElements = config.map((item) => elementOf(item, shape))
  const liveAt = new Map(liveElements.map((element, index) => [element, index]))
  const inConfig = new Set(configElements)
  const shared = configElements.filter((element) => liveAt.has(element))
  const merged = new Set<string | undefined>()
  const result: Json[] = []
  const take = (at: number): void => {
    const element = configElements[at]
    const before = element === undefined ? undefined : live[liveAt.get(element) ?? -1]
    const item = mergeTyped(before, config[at], shape.item)
    if (item !== undefined) result.push(item)
    merged.add(element)
    if (shared[0] === element) shared.shift()
  }
  let left = 0
  let right = 0
  while (left < live.length || right < config.length) {
    const element = liveElements[left]
    if (left < live.length && right < config.length) {
      if (element === configElements[right]) {
        take(right)
        left++
        right++
        continue
      }
      // Shared, but its turn comes later: the configuration's order wins.
      if (inConfig.has(element) && shared.length > 0 && shared[0] !== element) {
        left++
        continue
      }
    }
    if (left < live.length) {
      if (!inConfig.has(element)) {
        result.push(live[left] ?? null)
        left++
        continue
      }
      if (merged.has(element)) left++
    }
    if (right < config.length) take(right++)
  }
  return result
}

/** The value without the members of a set and all below them; undefined when nothing is left. */
export function withoutFields(value: Json, gone: FieldTree, shape: FieldShape): Json | undefined {
  if (isEmpty(gone)) return value
  if (isObject(value)) {
    if (shape.is !== 'deduced' && isLeaf(shape)) return value
    const result: JsonObject = {}
    let isBare = true
    for (const key of Object.keys(value)) {
      const inner = value[key]
      if (inner === undefined) continue
      const node = gone[`f:${key}`]
      if (node && isMember(node)) continue
      const left = node ? withoutFields(inner, node, innerShape(shape, key)) : inner
      if (left === undefined) continue
      put(result, key, left)
      isBare = false
    }
    return isBare ? undefined : result
  }
  if (!Array.isArray(value) || shape.is !== 'list' || shape.mode === 'atomic') return value
  const items: Json[] = []
  for (const item of value) {
    const element = elementOf(item, shape)
    const node = element === undefined ? undefined : gone[element]
    if (node && isMember(node)) continue
    const left = node ? withoutFields(item, node, shape.item) : item
    if (left !== undefined) items.push(left)
  }
  return items.length > 0 ? items : undefined
}
