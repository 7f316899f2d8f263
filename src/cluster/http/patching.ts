import { badRequest, type JsonObject, type KubeObject, unsupportedMediaType } from '../../kube/index.ts'
import type { ResourceDefinition, ResourceRequest } from '../registry/index.ts'
import type { WriteQuery } from './options.ts'
import type { Change } from '../registry/update.ts'

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply'

const kinds: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

export function patchKindOf(contentType: string | undefined, resource: ResourceDefinition): PatchKind {
  const kind = kinds[(contentType ?? '').split(';')[0]?.trim() ?? '']
  if (!kind || (kind === 'strategic' && resource.isCustom))
    throw unsupportedMediaType('415: Unsupported Media Type', {})
  return kind
}

export function patchChange(
  kind: PatchKind,
  text: string,
  _request: ResourceRequest,
  _write: WriteQuery,
  _now: () => number,
): Change {
  return {
    next(current) {
      let patch: unknown
      try {
        patch = JSON.parse(text)
      } catch {
        throw badRequest('not json')
      }
      if (kind === 'json') throw badRequest('json patch')
      return merge(current as unknown as JsonObject, patch as JsonObject) as unknown as KubeObject
    },
  }
}

function merge(target: JsonObject, patch: JsonObject): JsonObject {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key]
    else if (typeof value === 'object' && !Array.isArray(value))
      target[key] = merge(
        (typeof target[key] === 'object' && target[key] !== null && !Array.isArray(target[key])
          ? target[key]
          : {}) as JsonObject,
        value as JsonObject,
      )
    else target[key] = value
  }
  return target
}
