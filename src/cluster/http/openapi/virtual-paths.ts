import type { VirtualResource } from '../../registry/index.ts'
import type { Kinds } from './kinds.ts'
import { building, groupPath, type PathItem, writing } from './operation.ts'
import { namespaceParameter, pretty } from './parameters.ts'

/** A resource that is only asked, and stored nowhere. */
export function virtualPaths(kinds: Kinds, virtual: VirtualResource): PathItem[] {
  const build = building(kinds, virtual)
  if (!build) return []
  const place = virtual.namespaced ? '/namespaces/{namespace}' : ''
  return [
    {
      path: `${groupPath(virtual)}${place}/${virtual.plural}`,
      parameters: [...(virtual.namespaced ? [namespaceParameter] : []), pretty],
      operations: [
        writing(build, { method: 'post', action: 'post', verb: 'create', codes: [200, 201, 202] }),
      ],
    },
  ]
}
