import type { Json, JsonObject } from '../../../kube/index.ts'
import { pathText } from './decode-value.ts'
import type { Schema } from './schema.ts'

const ofEveryObject = new Set(['apiVersion', 'kind', 'metadata'])

/**
 * Removes, in place, what the schema of a custom resource does not specify
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning).
 *
 * @returns the paths of what was removed, sorted: `spec.unknown`.
 */
export function prune(object: JsonObject, schema: Schema): string[] {
  const removed: string[] = []
  pruneObject({ path: [], removed }, object, schema, true)
  return removed.sort()
}

interface Walk {
  readonly path: (string | number)[]
  readonly removed: string[]
}

function pruneValue(walk: Walk, value: Json | undefined, schema: Schema): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) {
    pruneObject(walk, value, schema, schema['x-kubernetes-embedded-resource'] === true)
    return
  }
  for (const [index, item] of value.entries()) {
    if (!schema.items && schema['x-kubernetes-preserve-unknown-fields']) continue
    walk.path.push(index)
    pruneValue(walk, item, schema.items ?? {})
    walk.path.pop()
  }
}

function pruneObject(walk: Walk, object: JsonObject, schema: Schema, isResource: boolean): void {
  const { properties, additionalProperties } = schema
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true
  for (const key of Object.keys(object)) {
    if (isResource && ofEveryObject.has(key)) continue
    const inner = properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    if (inner === true) continue
    if (inner) {
      walk.path.push(key)
      pruneValue(walk, object[key], inner)
      walk.path.pop()
    } else if (!keepsUnknown) {
      if (walk.removed.length < 100) walk.removed.push(pathText([...walk.path, key]))
      delete object[key]
    }
  }
}
