import { createHash } from 'node:crypto'
import {
  apiVersionOf,
  type Catalog,
  type ResourceDefinition,
  type Subresource,
  type Verb,
  type VirtualResource,
} from '../registry/index.ts'
import { groupPriority } from './group-priority.ts'

const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** Kubernetes lists them in this order for custom resources. */
const customVerbs: readonly Verb[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
]

/** One line of an `APIResourceList`. */
interface ApiResource {
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly kind: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly storageVersionHash?: string
}

export interface GroupVersion {
  readonly group: string
  readonly version: string
}

/** The documents of `/api` and `/apis`, as data. */
/** A group as a list of groups shows it. */
interface GroupEntry {
  readonly name: string
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[]
  readonly preferredVersion: { readonly groupVersion: string; readonly version: string } | undefined
}

export interface Discovery {
  coreVersions(address: string): object
  groups(): { readonly groups: readonly GroupEntry[] }
  group(name: string): object | undefined
  resources(group: string, version: string): object | undefined
  /** All in one (`APIGroupDiscoveryList`), for the core group or for all others. */
  aggregated(
    part: 'core' | 'groups',
    version: 'v2' | 'v2beta1',
  ): { readonly text: string; readonly etag: string }
}

/** Discovery of what a catalog serves now. Make a new one when the catalog's version changes. */
export function discover(catalog: Catalog): Discovery {
  const versions = groupVersions(catalog)
  const others = [...new Set(versions.map(({ group }) => group))]
    .filter((group) => group !== '')
    .sort(byOrder)
  const wholes = new Map<string, { readonly text: string; readonly etag: string }>()
  const versionsOf = (group: string): string[] =>
    versions.filter((one) => one.group === group).map(({ version }) => version)
  return {
    coreVersions: (address) => ({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
    }),
    groups: () => ({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: others.map((group) => groupEntry(group, versionsOf(group))),
    }),
    group: (name) =>
      others.includes(name)
        ? { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(name, versionsOf(name)) }
        : undefined,
    resources(group, version) {
      if (!versionsOf(group).includes(version)) return undefined
      return {
        kind: 'APIResourceList',
        ...(group !== '' && { apiVersion: 'v1' }),
        groupVersion: apiVersionOf({ group, version }),
        resources: resourcesOf(catalog, group, version),
      }
    },
    aggregated(part, version) {
      const key = `${part} ${version}`
      const known = wholes.get(key)
      if (known) return known
      const text = JSON.stringify({
        kind: 'APIGroupDiscoveryList',
        apiVersion: `apidiscovery.k8s.io/${version}`,
        metadata: {},
        items: (part === 'core' ? [''] : others).map((group) => ({
          metadata: { ...(group !== '' && { name: group }), creationTimestamp: null },
          versions: versionsOf(group).map((one) => ({
            version: one,
            resources: aggregatedResources(resourcesOf(catalog, group, one), { group, version: one }),
            freshness: 'Current',
          })),
        })),
      })
      const made = { text, etag: `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"` }
      wholes.set(key, made)
      return made
    },
  }
}

/** All groups and versions that a catalog serves, newer versions first. */
export function groupVersions(catalog: Catalog): GroupVersion[] {
  const seen = new Map<string, GroupVersion>()
  for (const { group, version } of [...catalog.definitions(), ...catalog.virtualResources()])
    seen.set(`${group}/${version}`, { group, version })
  return [...seen.values()].sort((a, b) => byAge(a.version, b.version))
}

/** GA before beta before alpha, newer before older (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority). */
function byAge(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text))
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : Number(a > b)
  const rank = (match: RegExpExecArray): number[] => [
    match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0,
    Number(match[1]),
    Number(match[3] ?? 0),
  ]
  const [x, y] = [rank(left), rank(right)]
  for (const [index, value] of x.entries()) if (value !== y[index]) return (y[index] ?? 0) - value
  return 0
}

function byOrder(a: string, b: string): number {
  return groupPriority(b) - groupPriority(a) || (a < b ? -1 : Number(a > b))
}

function groupEntry(name: string, versions: readonly string[]): GroupEntry {
  const list = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: list, preferredVersion: list[0] }
}

function resourcesOf(catalog: Catalog, group: string, version: string): ApiResource[] {
  const here = (one: GroupVersion): boolean => one.group === group && one.version === version
  const builtinRows: ApiResource[] = []
  // Custom kinds come in the order of their definitions, each followed by its subresources; built-in ones are sorted.
  const customRows: ApiResource[] = []
  for (const definition of catalog.definitions().filter(here)) {
    const rows = definition.isCustom ? customRows : builtinRows
    rows.push(storedEntry(definition))
    if (definition.hasStatus)
      rows.push(sub(definition, 'status', definition.kind, ['get', 'patch', 'update']))
    for (const view of Object.keys(definition.views ?? {}))
      rows.push(sub(definition, view, definition.kind, ['get', 'patch', 'update']))
    if (definition.scale)
      rows.push({
        ...sub(definition, 'scale', 'Scale', ['get', 'patch', 'update']),
        group: 'autoscaling',
        version: 'v1',
      })
  }
  builtinRows.push(...catalog.virtualResources().filter(here).map(virtualEntry))
  const parents = new Set([...builtinRows, ...customRows].map(({ name }) => name))
  for (const one of catalog.subresources())
    if (one.group === group && parents.has(one.parent)) builtinRows.push(subresourceEntry(one))
  return [...builtinRows.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))), ...customRows]
}

function storedEntry(definition: ResourceDefinition): ApiResource {
  return {
    name: definition.plural,
    singularName: definition.singular,
    namespaced: definition.namespaced,
    kind: definition.kind,
    verbs: definition.verbs ?? (definition.isCustom ? customVerbs : allVerbs),
    ...(definition.shortNames && { shortNames: definition.shortNames }),
    ...(definition.categories && { categories: definition.categories }),
    ...(definition.storageVersionHash && { storageVersionHash: definition.storageVersionHash }),
  }
}

function virtualEntry(resource: VirtualResource): ApiResource {
  return {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: ['create'],
  }
}

function sub(
  definition: ResourceDefinition,
  name: string,
  kind: string,
  verbs: readonly string[],
): ApiResource {
  return {
    name: `${definition.plural}/${name}`,
    singularName: '',
    namespaced: definition.namespaced,
    kind,
    verbs,
  }
}

function subresourceEntry(one: Subresource): ApiResource {
  const verbs = (['create', 'get', 'update'] as const).filter((verb) => one[verb])
  return {
    name: `${one.parent}/${one.name}`,
    singularName: '',
    namespaced: one.namespaced,
    ...(one.bodyGroup !== undefined && { group: one.bodyGroup }),
    ...(one.bodyVersion !== undefined && { version: one.bodyVersion }),
    kind: one.kind,
    verbs,
  }
}

function aggregatedResources(rows: readonly ApiResource[], at: GroupVersion): object[] {
  const tops = rows.filter(({ name }) => !name.includes('/'))
  return tops.map((row) => ({
    resource: row.name,
    responseKind: { group: row.group ?? at.group, version: row.version ?? at.version, kind: row.kind },
    scope: row.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: row.singularName,
    verbs: row.verbs,
    ...(row.shortNames && { shortNames: row.shortNames }),
    ...(row.categories && { categories: row.categories }),
    ...subresourceRows(rows, row, at),
  }))
}

function subresourceRows(rows: readonly ApiResource[], parent: ApiResource, at: GroupVersion): object {
  const found = rows.filter(({ name }) => name.startsWith(`${parent.name}/`))
  if (found.length === 0) return {}
  return {
    subresources: found.map((row) => ({
      subresource: row.name.slice(parent.name.length + 1),
      responseKind: { group: row.group ?? at.group, version: row.version ?? at.version, kind: row.kind },
      verbs: row.verbs,
    })),
  }
}
