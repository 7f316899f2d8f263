import type { CustomResourceColumnDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { type KubeObject, exactJsonText } from '../../../kube/index.ts'
import type { Column } from '../resource.ts'
import { nameColumn, since } from '../resources/columns.ts'
import { findAll, type JsonPath, JsonPathError, parseJsonPath } from './json-path.ts'

const creationText =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata'

const age: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  description: creationText,
  jsonPath: '.metadata.creationTimestamp',
}

/** The table columns of a custom kind: its name, then what the definition says, or its age. */
export function printerColumns(columns: readonly CustomResourceColumnDefinition[] | undefined): Column[] {
  return [nameColumn, ...(columns?.length ? columns : [age]).map(columnOf)]
}

function columnOf(column: CustomResourceColumnDefinition): Column {
  const path = readPath(column.jsonPath)
  const type = column.type as Column['type']
  return {
    name: column.name,
    type,
    ...(column.format && { format: column.format }),
    description:
      column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    priority: column.priority ?? 0,
    cell: (object: KubeObject, now: number) => {
      const [value] = path === undefined ? [] : findAll(path, object)
      return cellOf(type, value, now)
    },
  }
}

/** A definition is checked when it is created; one from before the check shows nothing. */
function readPath(text: string): JsonPath | undefined {
  try {
    return parseJsonPath(text)
  } catch (error) {
    if (error instanceof JsonPathError) return undefined
    throw error
  }
}

function cellOf(type: Column['type'], value: unknown, now: number): string | number | boolean | null {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' || typeof value === 'bigint' ? Math.trunc(Number(value)) : null
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      if (typeof value !== 'string') return null
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : since(value, now)
    default:
      return typeof value === 'object' ? exactJsonText(value) : String(value)
  }
}
