import type { ResourceDefinition, Subresource } from '../../registry/index.ts'
import type { Kinds } from './kinds.ts'
import {
  building,
  capitalized,
  groupPath,
  idParts,
  type Operation,
  operation,
  type PathItem,
  writing,
} from './operation.ts'
import { nameOf, namespaceParameter, pretty } from './parameters.ts'

/** A part of a resource with an object of its own kind as body, such as `pods/eviction`. */
export function subresourcePaths(
  kinds: Kinds,
  parent: ResourceDefinition,
  subresource: Subresource,
): PathItem[] {
  const body = {
    group: subresource.bodyGroup ?? parent.group,
    version: subresource.bodyVersion ?? parent.version,
    kind: subresource.kind,
  }
  const build = building(kinds, { ...body, namespaced: subresource.namespaced })
  if (!build) return []
  const { stem, tag } = idParts(parent)
  const named = { ...build, stem, tag }
  const part = capitalized(subresource.name)
  const place = subresource.namespaced ? '/namespaces/{namespace}' : ''
  const operations: Operation[] = []
  if (subresource.get)
    operations.push(
      operation(named, {
        method: 'get',
        action: 'get',
        id: `read${stem}${build.scope}${parent.kind}${part}`,
        description: `read ${subresource.name} of the specified ${parent.kind}`,
        parameters: [],
        answers: [[200, build.item]],
      }),
    )
  const write = { part, kind: parent.kind }
  if (subresource.create)
    operations.push(
      writing(named, { ...write, method: 'post', action: 'post', verb: 'create', codes: [200, 201, 202] }),
    )
  if (subresource.update)
    operations.push(
      writing(named, { ...write, method: 'put', action: 'put', verb: 'replace', codes: [200, 201] }),
    )
  return [
    {
      path: `${groupPath(parent)}${place}/${parent.plural}/{name}/${subresource.name}`,
      parameters: [nameOf(parent.kind), ...(subresource.namespaced ? [namespaceParameter] : []), pretty],
      operations,
    },
  ]
}
