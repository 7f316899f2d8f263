import type { GroupVersion, Kinds, OpenApiSource } from './kinds.ts'
import type { PathItem } from './operation.ts'
import { resourcePaths } from './resource-paths.ts'
import { subresourcePaths } from './subresource-paths.ts'
import { virtualPaths } from './virtual-paths.ts'

/** Every path under a group and version, sorted. */
export function pathsOf(source: OpenApiSource, kinds: Kinds, at: GroupVersion): PathItem[] {
  const isHere = (one: GroupVersion): boolean => one.group === at.group && one.version === at.version
  const definitions = source.definitions().filter(isHere)
  const items = [
    ...definitions.flatMap((definition) => resourcePaths(kinds, definition)),
    ...source
      .virtualResources()
      .filter(isHere)
      .flatMap((virtual) => virtualPaths(kinds, virtual)),
    ...source.subresources().flatMap((subresource) => {
      const parent = definitions.find(
        ({ group, plural }) => group === subresource.group && plural === subresource.parent,
      )
      return parent ? subresourcePaths(kinds, parent, subresource) : []
    }),
  ]
  return items.filter(({ operations }) => operations.length > 0).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Names of the schemas that the paths use. */
export function schemasOf(items: readonly PathItem[]): Set<string> {
  const names = new Set<string>()
  for (const { operations } of items)
    for (const { body, answers } of operations) {
      if (body) names.add(body.schema)
      for (const [, schema] of answers) names.add(schema)
    }
  return names
}
