import type { KubeObject } from '../../../kube/index.ts'
import type { Column } from '../resource.ts'
import type { ColumnOf } from './define.ts'

const nameText =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names'
const creationText =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata'

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: nameText,
  priority: 0,
  cell: (object: KubeObject) => object.metadata.name ?? '',
}

export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: creationText,
  priority: 0,
  cell: (object: KubeObject, now: number) => since(object.metadata.creationTimestamp, now),
}

/** Kinds without columns of their own. */
export const plainColumns: readonly Column[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description: creationText,
    priority: 0,
    cell: (object: KubeObject) => object.metadata.creationTimestamp ?? null,
  },
]

type Cell<T> = ColumnOf<T>['cell']

/** A text column that is always shown. */
export function column<T>(
  name: string,
  description: string,
  cell: Cell<T>,
  type: Column['type'] = 'string',
): ColumnOf<T> {
  return { name, type, description, priority: 0, cell }
}

/** A text column of `-o wide`. */
export function wideColumn<T>(name: string, description: string, cell: Cell<T>): ColumnOf<T> {
  return { name, type: 'string', description, priority: 1, cell }
}

/** Time passed since a timestamp, as in `5m30s`. */
export function since(timestamp: string | undefined | null, now: number): string {
  return timestamp ? humanDuration(now - Date.parse(timestamp)) : '<unknown>'
}

/** A duration in at most two units, the coarser the longer it is. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (hours < 24 * 8) return twoUnits(days, 'd', hours % 24, 'h')
  if (days < 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  return days < 365 * 8 ? twoUnits(years, 'y', days % 365, 'd') : `${years}y`
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

/** Names and images of containers, comma-joined, as two wide columns of kinds with a pod template. */
export function containerColumns<T>(
  containersOf: (object: Parameters<Cell<T>>[0]) => readonly { name: string; image?: string }[],
): ColumnOf<T>[] {
  return [
    wideColumn('Containers', 'Names of each container in the template.', (object) =>
      containersOf(object)
        .map((container) => container.name)
        .join(','),
    ),
    wideColumn('Images', 'Images referenced by each container in the template.', (object) =>
      containersOf(object)
        .map((container) => container.image ?? '')
        .join(','),
    ),
  ]
}

/** `a=b,c=d` in the order of keys; `<none>` for none. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
  return pairs.length === 0 ? '<none>' : pairs.join(',')
}

/** A label selector in its text form. */
export function selectorText(
  selector:
    | {
        matchLabels?: Record<string, string>
        matchExpressions?: { key: string; operator: string; values?: string[] }[]
      }
    | undefined,
): string {
  if (selector === undefined) return '<none>'
  const parts = Object.entries(selector.matchLabels ?? {}).map(([key, value]): [string, string] => [
    key,
    `${key}=${value}`,
  ])
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const list = `(${[...(values ?? [])].sort().join(',')})`
    const texts: Readonly<Record<string, string>> = {
      In: `${key} in ${list}`,
      NotIn: `${key} notin ${list}`,
      Exists: key,
      DoesNotExist: `!${key}`,
    }
    parts.push([key, texts[operator] ?? key])
  }
  if (parts.length === 0) return '<none>'
  return parts
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]) => text)
    .join(',')
}
