import { badRequest, type JsonObject, type KubeObject } from '../../../kube/index.ts'
import { plainFailure } from '../plain-failure.ts'
import { checkConflicts } from './conflicts.ts'
import { type FieldShape, fieldShapeOf, type StructShape } from './field-shape.ts'
import {
  difference,
  type FieldTree,
  intersection,
  isEmpty,
  isMember,
  noFields,
  type OpenTree,
  self,
  union,
} from './field-tree.ts'
import { createdFields, ownedFields } from './field-walk.ts'
import {
  apiVersionOf,
  asJson,
  deltas,
  encodeManaged,
  leftAfter,
  type Managed,
  shapeIn,
  storedManaged,
  timeOf,
  trackable,
  type Writing,
} from './managed-fields.ts'
import { isEqual, isObject } from './put.ts'
import { listed, typedFaults } from './typed-check.ts'
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
export function applyObject(live: KubeObject | undefined, given: JsonObject, applying: Applying): KubeObject {
  const shape = fieldShapeOf(applying.resource)
  checkConfig(given, shape, applying)
  const config = withoutMetadataNulls(given)
  const before = liveObject(live, config, applying)
  const managed = live ? managersOf(live, before, shape, applying) : []
  const mine = managed.find((entry) => isMine(entry, applying))
  const others = managed.filter((entry) => entry !== mine)
  const fields = trackable(ownedFields(config, shape), applying)
  const merged = mergeTyped(before, config, shape) as JsonObject
  const result = pruned(merged, applying, {
    last: mine,
    managed: [...others, { apiVersion: apiVersionOf(applying), fields }],
  })
  const deltaIn = deltas(before, result, applying)
  if (!applying.force) checkConflicts(others, deltaIn, applying, live)
  const next = others.flatMap((entry) => leftAfter(entry, deltaIn) ?? [])
  const own = difference(fields, deltaIn(apiVersionOf(applying))?.removed ?? noFields)
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
  const stated = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : ''
  const kind = typeof config['kind'] === 'string' ? config['kind'] : ''
  if (kind !== applying.resource.kind || stated !== apiVersionOf(applying))
    throw badRequest(`invalid object type: ${stated.includes('/') ? stated : `/${stated}`}, Kind=${kind}`)
  const metadata = config['metadata']
  if (isObject(metadata) && metadata['managedFields']) throw badRequest('metadata.managedFields must be nil')
  const faults = typedFaults(config, shape)
  if (faults.length === 0) return
  const named = (field: string): string => {
    const value = isObject(metadata) ? metadata[field] : undefined
    return typeof value === 'string' ? value : ''
  }
  const { group, version } = applying.resource
  throw plainFailure(
    `failed to create typed patch object (${named('namespace')}/${named('name')}; ${group}/${version}, Kind=${kind}): ${listed(faults)}`,
  )
}

/** Generated manifests say `creationTimestamp: null`, which asks for nothing and must not hide what the server has set. */
function withoutMetadataNulls(config: JsonObject): JsonObject {
  const metadata = config['metadata']
  if (!isObject(metadata) || !Object.values(metadata).includes(null)) return config
  return {
    ...config,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null)),
  }
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
  applying: Applying,
  owners: { last: Managed | undefined; managed: readonly Pick<Managed, 'apiVersion' | 'fields'>[] },
): JsonObject {
  const { last } = owners
  const shape = last && shapeIn(last.apiVersion, applying)
  if (!shape || isEmpty(last.fields)) return merged
  const named = withNamedFields(last.fields, shape)
  let backed = (withoutFields(merged, named, shape) as JsonObject | undefined) ?? {}
  // The version in which it was owned first: what the others add back is on top of that.
  const versions = new Set([last.apiVersion, ...owners.managed.map(({ apiVersion }) => apiVersion)])
  for (const version of versions) {
    const own = owners.managed.filter(({ apiVersion }) => apiVersion === version)
    const inVersion = shapeIn(version, applying)
    if (inVersion) backed = withOwned(backed, merged, own, inVersion)
  }
  const all = withNamedFields(ownedFields(merged, shape), shape)
  const left = withNamedFields(ownedFields(backed, shape), shape)
  const gone = intersection(difference(all, left), named)
  return (withoutFields(merged, gone, shape) as JsonObject | undefined) ?? {}
}

/** What was removed, with all that somebody else owns back in its place. */
function withOwned(
  removed: JsonObject,
  merged: JsonObject,
  owners: readonly Pick<Managed, 'fields'>[],
  shape: StructShape,
): JsonObject {
  const all = withNamedFields(ownedFields(merged, shape), shape)
  let kept = withNamedFields(ownedFields(removed, shape), shape)
  for (const { fields } of owners) kept = union(kept, withNamedFields(fields, shape))
  return (withoutFields(merged, difference(all, kept), shape) as JsonObject | undefined) ?? {}
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

function withEntries(object: JsonObject, managed: readonly Managed[]): KubeObject {
  const metadata = object['metadata']
  const rest = isObject(metadata) ? metadata : {}
  const entries = encodeManaged(managed)
  return {
    ...object,
    metadata: { ...rest, ...(entries.length > 0 && { managedFields: entries }) },
  } as KubeObject
}
