import { type JsonObject, type KubeObject, StatusError } from '../../../kube/index.ts'
import { fieldShapeOf } from './field-shape.ts'
import { difference, type FieldTree, intersection, noFields, paths, shownPath } from './field-tree.ts'
import { compareFields, ownedFields } from './field-walk.ts'
import { apiVersionOf, asJson, type DeltaIn, type Managed, type Writing } from './managed-fields.ts'
import { typedFaults } from './typed-check.ts'

/**
 * Refuses to change what other managers own with another value.
 *
 * @throws {StatusError} `Conflict` with one cause per field and manager.
 */
export function checkConflicts(
  others: readonly Managed[],
  deltaIn: DeltaIn,
  applying: Writing,
  live: KubeObject | undefined,
): void {
  const conflicts: { manager: string; path: string }[] = []
  const sorted = [...others].sort((a, b) => (managerText(a) < managerText(b) ? -1 : 1))
  const allowed = applying.manager === 'kubectl' && live ? lastApplied(live, applying) : noFields
  for (const entry of sorted) {
    const changed = deltaIn(entry.apiVersion)?.changed ?? noFields
    const disputed = difference(intersection(entry.fields, changed), allowed)
    for (const path of paths(disputed)) conflicts.push({ manager: managerText(entry), path: shownPath(path) })
  }
  if (conflicts.length > 0) throw applyConflict(conflicts)
}

/**
 * Fields that client-side apply has written and that still are as it wrote them: server-side apply by the same tool
 * may change them, or nobody could move from the one to the other.
 */
function lastApplied(live: KubeObject, applying: Writing): FieldTree {
  const text = live.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']
  if (text === undefined) return noFields
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch {
    return noFields
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return noFields
  const shape = fieldShapeOf(applying.resource)
  const applied = config as JsonObject
  if (applied['apiVersion'] !== apiVersionOf(applying) || typedFaults(applied, shape).length > 0)
    return noFields
  const delta = compareFields(applied, asJson(live), shape)
  return difference(difference(ownedFields(applied, shape), delta.changed), delta.removed)
}

function managerText(entry: Managed): string {
  const name = JSON.stringify(entry.manager)
  const subresource =
    entry.subresource === undefined ? '' : ` with subresource ${JSON.stringify(entry.subresource)}`
  return `${name}${subresource}${entry.operation === 'Update' ? ` using ${entry.apiVersion}` : ''}`
}

function applyConflict(conflicts: readonly { manager: string; path: string }[]): StatusError {
  const [first] = conflicts
  const managers = [...new Set(conflicts.map(({ manager }) => manager))]
  const lines = managers.flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...conflicts.filter((each) => each.manager === manager).map(({ path }) => `- ${path}`),
  ])
  const message =
    conflicts.length === 1 && first
      ? `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`
      : `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'Conflict',
    details: {
      causes: conflicts.map(({ manager, path }) => ({
        reason: 'FieldManagerConflict',
        message: `conflict with ${manager}`,
        field: path,
      })),
    },
    code: 409,
  })
}
