import { type KubeObject, notFound, timestamp } from '../kube/index.ts'
import { groupPriority, groupVersions, versionPriority } from './http/index.ts'
import type { Catalog, Column, Reader, ResourceDefinition } from './registry/index.ts'
import { ageColumn, nameColumn } from './registry/resources/columns.ts'
import { schemaFor } from './registry/schema/index.ts'

export interface ApiServiceParts {
  /** What is served, once it is known. */
  catalog(): Catalog
  readonly reader: Reader
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

const group = 'apiregistration.k8s.io'
const version = 'v1'

/**
 * `apiservices`: who answers for each group and version. That is always this server; the services of others are not asked,
 * so that they can be read and nothing else.
 */
export function apiServices(parts: ApiServiceParts): ResourceDefinition {
  const all = (): KubeObject[] =>
    groupVersions(parts.catalog())
      .filter((one) => one.group !== group)
      .map((one) => apiService(parts, one))
      .sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
  return {
    group,
    version,
    kind: 'APIService',
    plural: 'apiservices',
    singular: 'apiservice',
    namespaced: false,
    categories: ['api-extensions'],
    verbs: ['get', 'list'],
    schema: schemaFor(group, version, 'APIService'),
    hasStatus: false,
    columns,
    computed: {
      async get({ name = '' }) {
        const found = all().find((one) => nameOf(one) === name)
        if (found === undefined) throw notFound({ group, kind: 'apiservices', name })
        return found
      },
      list: async (_request, selection) => all().filter((one) => selection.matches(one)),
    },
  }
}

function nameOf({ metadata }: KubeObject): string {
  return metadata.name ?? ''
}

function apiService(parts: ApiServiceParts, of: { group: string; version: string }): KubeObject {
  const definedAt = definitionTime(parts, of)
  const since = definedAt ?? timestamp(parts.startedAt)
  return {
    metadata: {
      name: `${of.version}.${of.group}`,
      creationTimestamp: since,
      // Kubernetes registers its own groups once, at start, and follows those of custom resources.
      labels: { 'kube-aggregator.kubernetes.io/automanaged': definedAt === undefined ? 'onstart' : 'true' },
    },
    spec: {
      ...(of.group !== '' && { group: of.group }),
      groupPriorityMinimum: groupPriority(of.group),
      version: of.version,
      versionPriority: versionPriority(of.group, of.version),
    },
    status: {
      conditions: [
        {
          type: 'Available',
          status: 'True',
          lastTransitionTime: since,
          reason: 'Local',
          message: 'Local APIServices are always available',
        },
      ],
    },
  }
}

/** When the first definition of custom resources of the group and version came. */
function definitionTime(
  { catalog, reader }: ApiServiceParts,
  of: { group: string; version: string },
): string | undefined {
  const definitions = catalog()
    .definitions()
    .filter((one) => one.isCustom && one.group === of.group && one.version === of.version)
  const times = definitions.flatMap(({ plural }) => {
    const name = `${plural}.${of.group}`
    const crd = reader.get('apiextensions.k8s.io/customresourcedefinitions', undefined, name)
    return crd?.metadata.creationTimestamp ?? []
  })
  return times.sort()[0]
}

const columns: readonly Column[] = [
  nameColumn,
  {
    name: 'Service',
    type: 'string',
    description: 'The reference to the service that hosts this API endpoint.',
    priority: 0,
    cell: () => 'Local',
  },
  {
    name: 'Available',
    type: 'string',
    description: 'Whether this service is available.',
    priority: 0,
    cell: () => 'True',
  },
  ageColumn,
]
