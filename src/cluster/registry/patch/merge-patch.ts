import type { Json, JsonObject } from '../../../kube/index.ts'
import { isObject, own, put } from './put.ts'

/** Applies a JSON merge patch (RFC 7386). Shares with `target` what the patch leaves alone. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target }
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null || value === undefined) delete result[key]
    else put(result, key, merged(own(target, key), value))
  }
  return result
}

function merged(target: Json | undefined, patch: Json): Json {
  return isObject(patch) ? mergePatch(isObject(target) ? target : {}, patch) : patch
}
