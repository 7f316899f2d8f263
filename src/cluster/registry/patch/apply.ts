import { badRequest, type JsonObject, type KubeObject, StatusError } from '../../../kube/index.ts'
import { type FieldShape, fieldShapeOf, type StructShape } from './field-shape.ts'
import {
  difference,
  type FieldTree,
  intersection,
  isEmpty,
  isMember,
  noFields,
  type OpenTree,
  paths,
  self,
  shownPath,
  union,
} from './field-tree.ts'
import { compareFields, createdFields, ownedFields } from './field-walk.ts'
import {
  apiVersionOf,
  asJson,
  encodeManaged,
  type Managed,
  storedManaged,
  timeOf,
  trackable,
  type Writing,
} from './managed-fields.ts'
import { isEqual } from './put.ts'
import { plainFailure } from './refusals.ts'
import { typedFaults } from './typed-check.ts'
import { innerShape, mergeTyped, withoutFields } from './typed-merge.ts'

export interface Applying extends Writing {
  readonly resource: Writing['resource'] & { readonly kind: string }
  /** Take fields over from managers that disagree. */
  readonly force: boolean
}

/** Owner of all that was there before anybody applied and whose managers were not tracked. */
const beforeFirstApply = 'before-first-apply'

/**
 * Server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/): merges the configuration into
 * the live object, removes what the manager applied before and does no more, unless others own it, and records who owns
 * what.
 *
 * @param live undefined when the object is to be created.
 * @returns the object with its `managedFields`; server-owned metadata is as in `live`.
 * @throws {StatusError} `Conflict` when another manager owns a field with another value and `force` is off.
 */
export function applyObject(
  live: KubeObject | undefined,
  config: JsonObject,
  applying: Applying,
): KubeObject {
  const shape = fieldShapeOf(applying.resource)
  checkConfig(config, shape, applying)
  const before = liveObject(live, config, applying)
  const managed = live ? managersOf(live, before, shape, applying) : []
  const mine = managed.find((entry) => isMine(entry, applying))
  const others = managed.filter((entry) => entry !== mine)
  const fields = trackable(ownedFields(config, shape), applying)
  const merged = mergeTyped(before, config, shape) as JsonObject
  const result = pruned(merged, shape, {
    last: mine?.fields ?? noFields,
    managed: [...others.map((entry) => entry.fields), fields],
  })
  const delta = compareFields(before, result, shape)
  const changed = trackable(delta.changed, applying)
  if (!applying.force) checkConflicts(others, changed, applying, live)
  const next = others
    .map((entry) => ({ ...entry, fields: difference(difference(entry.fields, changed), delta.removed) }))
    .filter((entry) => !isEmpty(entry.fields))
  const own = difference(fields, delta.removed)
  if (!isEmpty(own)) {
    // As in Kubernetes, the time is that of the last change of the object, not of the last request.
    const time = isEqual(before, result) && live ? mine?.time : timeOf(applying)
    next.push({
      manager: applying.manager,
      operation: 'Apply',
      apiVersion: apiVersionOf(applying),
      subresource: applying.subresource,
      time,
      fields: own,
    })
  }
  return withEntries(result, next)
}

function checkConfig(config: JsonObject, shape: StructShape, applying: Applying): void {
  const expected = apiVersionOf(applying)
  const stated = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : ''
  const kind = typeof config['kind'] === 'string' ? config['kind'] : ''
  const [statedGroup, statedVersion] = stated.includes('/') ? stated.split('/') : ['', stated]
  if (kind !== applying.resource.kind || statedGroup !== applying.resource.group)
    throw badRequest(`invalid object type: ${statedGroup ?? ''}/${statedVersion ?? ''}, Kind=${kind}`)
  if (stated !== expected)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${stated}, expected: ${expected}`,
    )
  const metadata = config['metadata']
  if (
    typeof metadata === 'object' &&
    metadata !== null &&
    !Array.isArray(metadata) &&
    metadata['managedFields']
  )
    throw badRequest('metadata.managedFields must be nil')
  const faults = typedFaults(config, shape)
  if (faults.length === 0) return
  const named = (field: string): string => {
    const value =
      typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
        ? metadata[field]
        : undefined
    return typeof value === 'string' ? value : ''
  }
  const { group, version } = applying.resource
  const list = faults.length === 1 ? faults[0] : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`
  throw plainFailure(
    `failed to create typed patch object (${named('namespace')}/${named('name')}; ${group}/${version}, Kind=${kind}): ${list ?? ''}`,
  )
}

function liveObject(live: KubeObject | undefined, config: JsonObject, applying: Applying): JsonObject {
  const type = {
    apiVersion: apiVersionOf(applying),
    ...(config['kind'] !== undefined && { kind: config['kind'] }),
  }
  if (!live) return { ...type, metadata: {} }
  const { managedFields: _entries, ...metadata } = live.metadata
  return asJson({ ...live, ...type, metadata } as KubeObject)
}

function managersOf(live: KubeObject, before: JsonObject, shape: StructShape, applying: Applying): Managed[] {
  const entries = storedManaged(live.metadata.managedFields)
  if (entries.length > 0) return entries
  const { subresource: _subresource, ...whole } = applying
  const fields = trackable(createdFields(before, shape), whole)
  if (isEmpty(fields)) return []
  return [
    {
      manager: beforeFirstApply,
      operation: 'Update',
      apiVersion: apiVersionOf(applying),
      subresource: undefined,
      time: timeOf(applying),
      fields,
    },
  ]
}

function isMine(entry: Managed, applying: Applying): boolean {
  return (
    entry.operation === 'Apply' &&
    entry.manager === applying.manager &&
    entry.subresource === applying.subresource
  )
}

/**
 * Removes what the manager applied last time and does not now. What somebody else owns stays, and so does what lies
 * around it; what nobody owns goes only if this manager had it.
 */
function pruned(
  merged: JsonObject,
  shape: StructShape,
  owners: { last: FieldTree; managed: readonly FieldTree[] },
): JsonObject {
  if (isEmpty(owners.last)) return merged
  const last = withNamedFields(owners.last, shape)
  const afterRemoval = (withoutFields(merged, last, shape) as JsonObject | undefined) ?? {}
  const all = withNamedFields(ownedFields(merged, shape), shape)
  let kept = withNamedFields(ownedFields(afterRemoval, shape), shape)
  for (const fields of owners.managed) kept = union(kept, withNamedFields(fields, shape))
  const backed = (withoutFields(merged, difference(all, kept), shape) as JsonObject | undefined) ?? {}
  const left = withNamedFields(ownedFields(backed, shape), shape)
  const gone = intersection(difference(all, left), last)
  return (withoutFields(merged, gone, shape) as JsonObject | undefined) ?? {}
}

/**
 * The set with every struct on the way to a member as a member, so that removing the last field removes the struct too.
 * List items and keys of maps stand only for themselves, and metadata is never removed as a whole.
 */
function withNamedFields(tree: FieldTree, shape: FieldShape, isRoot = true): FieldTree {
  const result: OpenTree = {}
  for (const element of Object.keys(tree)) {
    const node = tree[element]
    if (!node || element === '.') continue
    if (isEmpty(node)) {
      result[element] = self
      continue
    }
    const name = element.slice(2)
    const isField = element.startsWith('f:')
    const inner = isField ? innerShape(shape, name) : shape.is === 'list' ? shape.item : shape
    const isNamed = isField && shape.is === 'struct' && shape.fields.has(name)
    const below = withNamedFields(node, inner, false)
    const isKept = isRoot && element === 'f:metadata'
    result[element] = !isKept && (isNamed || isMember(node)) ? { '.': self, ...below } : below
  }
  return result
}

function checkConflicts(
  others: readonly Managed[],
  changed: FieldTree,
  applying: Applying,
  live: KubeObject | undefined,
): void {
  const conflicts: { manager: string; path: string }[] = []
  const sorted = [...others].sort((a, b) => (managerText(a) < managerText(b) ? -1 : 1))
  const allowed = applying.manager === 'kubectl' && live ? lastApplied(live, applying) : noFields
  for (const entry of sorted) {
    const disputed = difference(intersection(entry.fields, changed), allowed)
    for (const path of paths(disputed)) conflicts.push({ manager: managerText(entry), path: shownPath(path) })
  }
  if (conflicts.length > 0) throw applyConflict(conflicts)
}

/**
 * Fields that client-side apply has written and that still are as it wrote them: server-side apply by the same tool
 * may change them, or nobody could move from the one to the other.
 */
function lastApplied(live: KubeObject, applying: Applying): FieldTree {
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

function withEntries(object: JsonObject, managed: readonly Managed[]): KubeObject {
  const metadata = object['metadata']
  const rest = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? metadata : {}
  const entries = encodeManaged(managed)
  return {
    ...object,
    metadata: { ...rest, ...(entries.length > 0 && { managedFields: entries }) },
  } as KubeObject
}
