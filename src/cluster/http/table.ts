import { type KubeObject, exactJsonText } from '../../kube/index.ts'
import type { Column, Encoded, ResourceDefinition } from '../registry/index.ts'
import { typed } from '../registry/index.ts'

/** What a row carries beside its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

const nameDescription =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names'
const createdDescription =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata'

/** Kinds without columns of their own show these. */
const usualColumns: readonly Column[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: nameDescription,
    priority: 0,
    cell: (object) => object.metadata.name ?? '',
  },
  {
    name: 'Created At',
    type: 'date',
    description: createdDescription,
    priority: 0,
    cell: (object) => object.metadata.creationTimestamp ?? '',
  },
]

/** A `meta.k8s.io/v1 Table`. Columns are left out of all but the first event of a watch. */
export function tableOf(
  definition: ResourceDefinition,
  objects: readonly Encoded[],
  options: {
    readonly include: IncludeObject
    readonly now: number
    readonly metadata: object
    readonly withColumns: boolean
    readonly version?: string
  },
): string {
  const columns = definition.columns ?? usualColumns
  const shown = objects.map(({ value }) => typed(definition, value))
  if (definition.tableOrder) shown.sort(definition.tableOrder)
  return exactJsonText({
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version ?? 'v1'}`,
    metadata: options.metadata,
    columnDefinitions: options.withColumns
      ? columns.map(({ name, type, format, description, priority }) => ({
          name,
          type,
          format: format ?? '',
          description,
          priority,
        }))
      : null,
    rows: shown.map((object) => ({
      cells: columns.map((column) => column.cell(object, options.now)),
      object: rowObject(object, options.include),
    })),
  })
}

function rowObject(object: KubeObject, include: IncludeObject): object | null {
  if (include === 'None') return null
  return include === 'Object' ? object : partial(object, 'v1')
}

/** Only kind and metadata of an object. */
export function partial(object: KubeObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}
