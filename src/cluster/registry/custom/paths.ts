import { type Json, exactJsonText } from '../../../kube/index.ts'
import type { Schema } from '../schema/schema.ts'

/** The path of a field within another. */
export function child(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** The item of an old list that is the same thing as this one: items have an identity in lists of type `map` alone. */
export function sameItem(schema: Schema, before: readonly Json[], item: Json): Json | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const identity = identityOf(item, keys)
  return identity === undefined ? undefined : before.find((one) => identityOf(one, keys) === identity)
}

function identityOf(item: Json, keys: readonly string[]): string | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined
  return exactJsonText(keys.map((key) => item[key] ?? null))
}

/**
 * Is the value at a path of faults (`spec.ports[1].name`) what it was before? Places in lists without identities are
 * compared as the whole list.
 */
export function isUnchangedAt(path: string, schema: Schema, now: Json, before: Json): boolean {
  const steps = [...path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)].map((match) => match[1] ?? match[2] ?? '')
  let [value, old, place]: [Json | undefined, Json | undefined, Schema | undefined] = [now, before, schema]
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || typeof old !== 'object' || old === null) break
    if (Array.isArray(value)) {
      const item: Json | undefined = value[Number(step)]
      if (!Array.isArray(old) || item === undefined || place?.['x-kubernetes-list-type'] !== 'map') break
      const was = sameItem(place, old, item)
      if (was === undefined) return false
      ;[value, old, place] = [item, was, place.items]
      continue
    }
    if (Array.isArray(old)) return false
    // A required field that is missing stands in both or in neither: its object is what changed or not.
    if (!Object.hasOwn(value, step) || !Object.hasOwn(old, step)) break
    const properties: Schema['properties'] = place?.properties
    const extra: Schema['additionalProperties'] = place?.additionalProperties
    const inner: Schema | undefined =
      properties !== undefined && Object.hasOwn(properties, step)
        ? properties[step]
        : typeof extra === 'object'
          ? extra
          : undefined
    ;[value, old, place] = [value[step], old[step], inner]
  }
  return exactJsonText(value) === exactJsonText(old)
}
