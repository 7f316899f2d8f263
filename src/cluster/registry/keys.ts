import type { ResourceDefinition } from './resource.ts'

/** `group/plural` under which objects of a kind are stored and read. */
export function storedAs(definition: Pick<ResourceDefinition, 'group' | 'plural' | 'storedAs'>): string {
  return definition.storedAs ?? `${definition.group}/${definition.plural}`
}

/** Store key of one object; the namespace segment is empty for cluster-scoped kinds. */
export function keyOf(resource: string, namespace: string | undefined, name: string): string {
  return `${resource}/${namespace ?? ''}/${name}`
}

/** Store prefix of a whole resource, or of it in one namespace. */
export function prefixOf(resource: string, namespace: string | undefined): string {
  return namespace === undefined ? `${resource}/` : `${resource}/${namespace}/`
}
