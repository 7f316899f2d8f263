import { type JsonObject, type KubeObject, type ManagedFieldsEntry, timestamp } from '../../../kube/index.ts'
import { fieldShapeOf, type ShapeSource, type StructShape } from './field-shape.ts'
import {
  difference,
  type FieldTree,
  isEmpty,
  noFields,
  readTree,
  self,
  union,
  withoutSubtrees,
} from './field-tree.ts'
import { compareFields, createdFields } from './field-walk.ts'

/** Who writes, and to what. Resource definitions bring `group`, `version`, `schema`, `isCustom` and `hasStatus`. */
export interface Writing {
  readonly resource: ShapeSource & {
    readonly group: string
    readonly version: string
    readonly hasStatus: boolean
    readonly versionSchemas?: ReadonlyMap<string, ShapeSource['schema']>
  }
  /** `fieldManager` of the request, or the product of its user agent. */
  readonly manager: string
  readonly subresource?: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** One entry of `managedFields` while it is worked on. */
export interface Managed {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string | undefined
  readonly time: string | undefined
  readonly fields: FieldTree
}

/** More updaters than this are folded into one, the oldest first. */
const mostUpdaters = 10
const oldUpdaters = 'ancient-changes'

/**
 * Keeps `metadata.managedFields` of `object` when it is created or updated (not applied): the manager takes over what
 * it set or changed, and what was removed has no owner any more. Call it when the object has its defaults and before
 * admission changes it: what the server fills in later belongs to nobody.
 *
 * @param old the stored object; undefined on create.
 */
export function updateManagedFields(object: KubeObject, old: KubeObject | undefined, writing: Writing): void {
  const { metadata } = object
  const sent = metadata.managedFields
  if (!old && sent === undefined) {
    const fields = trackable(createdFields(asJson(object), fieldShapeOf(writing.resource)), writing)
    if (!isEmpty(fields)) metadata.managedFields = [created(fields, writing)]
    return
  }
  const known = entriesToStartFrom(sent, old, writing.subresource !== undefined)
  if (old && known.length === 0) {
    // Not tracked so far, or reset by the user (`[{}]`): tracking begins with the first apply.
    delete metadata.managedFields
    return
  }
  const deltaIn = deltas(old && asJson(old), asJson(object), writing)
  const delta = deltaIn(apiVersionOf(writing))
  if (delta?.changed === noFields && delta.removed === noFields && sent === undefined) {
    setEntries(object, old?.metadata.managedFields)
    return
  }
  setEntries(object, encodeManaged(capped(afterUpdate(known, deltaIn, writing))))
}

/** What a write changes, in the fields of a version; undefined when the kind has no such version any more. */
export type DeltaIn = (
  apiVersion: string,
) => { readonly changed: FieldTree; readonly removed: FieldTree } | undefined

/** The same write can touch other fields in another version: what is one list there may be many items here. */
export function deltas(old: JsonObject | undefined, object: JsonObject, writing: Writing): DeltaIn {
  const known = new Map<string, ReturnType<DeltaIn>>()
  return (apiVersion) => {
    if (known.has(apiVersion)) return known.get(apiVersion)
    const shape = shapeIn(apiVersion, writing)
    const delta =
      shape &&
      (old ? compareFields(old, object, shape) : { changed: createdFields(object, shape), removed: noFields })
    const tracked = delta && { ...delta, changed: trackable(delta.changed, writing) }
    known.set(apiVersion, tracked)
    return tracked
  }
}

/** How fields are owned in a version of the kind; undefined when there is no such version any more. */
export function shapeIn(apiVersion: string, writing: Pick<Writing, 'resource'>): StructShape | undefined {
  const { resource } = writing
  if (apiVersion === apiVersionOf(writing) || resource.versionSchemas === undefined)
    return fieldShapeOf(resource)
  const isOfGroup = apiVersion.startsWith(`${resource.group}/`)
  const schema = isOfGroup && resource.versionSchemas.get(apiVersion.slice(resource.group.length + 1))
  return schema ? fieldShapeOf({ ...resource, schema }) : undefined
}

/** What is left of somebody's fields after a write; undefined when nothing is. */
export function leftAfter(entry: Managed, deltaIn: DeltaIn): Managed | undefined {
  const delta = deltaIn(entry.apiVersion)
  if (!delta) return undefined
  const left = difference(difference(entry.fields, delta.changed), delta.removed)
  if (isEmpty(left)) return undefined
  return left === entry.fields ? entry : { ...entry, fields: left }
}

function created(fields: FieldTree, writing: Writing): ManagedFieldsEntry {
  return encode({
    manager: writing.manager,
    operation: 'Update',
    apiVersion: apiVersionOf(writing),
    subresource: writing.subresource,
    time: timeOf(writing),
    fields,
  })
}

function entriesToStartFrom(
  sent: ManagedFieldsEntry[] | undefined,
  old: KubeObject | undefined,
  isSubresource: boolean,
): Managed[] {
  const live = old?.metadata.managedFields
  if (isSubresource || sent === live || sent === undefined) return storedManaged(live)
  const [first] = sent
  if (sent.length === 1 && first && Object.keys(first).length === 0) return []
  const stated = decodeManaged(sent)
  return stated && stated.length > 0 ? stated : storedManaged(live)
}

function afterUpdate(known: readonly Managed[], deltaIn: DeltaIn, writing: Writing): Managed[] {
  const apiVersion = apiVersionOf(writing)
  const changed = deltaIn(apiVersion)?.changed ?? noFields
  const result: Managed[] = []
  let mine: Managed | undefined
  for (const entry of known) {
    const isMine =
      entry.manager === writing.manager &&
      entry.operation === 'Update' &&
      entry.apiVersion === apiVersion &&
      entry.subresource === writing.subresource
    const left = leftAfter(entry, deltaIn)
    if (isMine) mine = left ?? { ...entry, fields: noFields }
    else if (left) result.push(left)
  }
  const fields = union(mine?.fields ?? noFields, changed)
  if (!isEmpty(fields))
    result.push({
      manager: writing.manager,
      operation: 'Update',
      apiVersion,
      subresource: writing.subresource,
      time: isEmpty(changed) ? mine?.time : timeOf(writing),
      fields,
    })
  return result
}

const statusField: FieldTree = { 'f:status': self }
const specFields: FieldTree = {
  'f:spec': self,
  'f:metadata': { 'f:deletionTimestamp': self, 'f:ownerReferences': self },
}
const allButStatus: FieldTree = { 'f:spec': self, 'f:metadata': self }

/** Takes out what the request cannot set: status through the object, all else through the status. */
export function trackable(fields: FieldTree, writing: Pick<Writing, 'resource' | 'subresource'>): FieldTree {
  if (!writing.resource.hasStatus) return fields
  if (writing.subresource === undefined) return withoutSubtrees(fields, statusField)
  if (writing.subresource !== 'status') return fields
  return withoutSubtrees(fields, writing.resource.isCustom ? allButStatus : specFields)
}

/** Entries that a client has sent; undefined when one is not what an entry must be. */
function decodeManaged(entries: readonly ManagedFieldsEntry[]): Managed[] | undefined {
  for (const { operation, fieldsV1 } of entries) {
    if (operation !== 'Apply' && operation !== 'Update') return undefined
    if (fieldsV1 !== undefined && !readTree(fieldsV1)) return undefined
  }
  return storedManaged(entries)
}

/** Entries of a stored object, which were looked at when they came in. */
export function storedManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed[] {
  return (entries ?? []).map((entry) => ({
    manager: entry.manager ?? '',
    operation: entry.operation ?? 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource || undefined,
    time: entry.time,
    fields: (entry.fieldsV1 as FieldTree | undefined) ?? noFields,
  }))
}

/** Entries as objects carry them: appliers first, then by age. */
export function encodeManaged(managed: readonly Managed[]): ManagedFieldsEntry[] {
  return [...managed].sort(inOrder).map(encode)
}

function encode(entry: Managed): ManagedFieldsEntry {
  return {
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    ...(entry.time !== undefined && { time: entry.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: entry.fields,
    ...(entry.subresource !== undefined && { subresource: entry.subresource }),
  }
}

function inOrder(a: Managed, b: Managed): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource ?? '', b.subresource ?? '')
  )
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Folds the oldest updaters of each version into one entry, so that the list cannot grow without end. */
function capped(managed: Managed[]): Managed[] {
  const updaters = managed.filter((entry) => entry.operation === 'Update')
  let surplus = updaters.length - mostUpdaters
  if (surplus <= 0) return managed
  const oldest = [...updaters].sort(
    (a, b) => order(a.time ?? '', b.time ?? '') || order(a.manager, b.manager),
  )
  const buckets = new Map<string, Managed>()
  const gone = new Set<Managed>()
  for (const entry of oldest) {
    if (surplus <= 0) break
    const first = buckets.get(entry.apiVersion)
    gone.add(entry)
    if (first) surplus--
    buckets.set(
      entry.apiVersion,
      first
        ? {
            ...first,
            manager: oldUpdaters,
            subresource: undefined,
            time: entry.time,
            fields: union(first.fields, entry.fields),
          }
        : entry,
    )
  }
  return [...managed.filter((entry) => !gone.has(entry)), ...buckets.values()]
}

/** Puts entries on an object, or takes them off. */
export function setEntries(object: KubeObject, entries: ManagedFieldsEntry[] | undefined): void {
  if (entries && entries.length > 0) object.metadata.managedFields = entries
  else delete object.metadata.managedFields
}

export function apiVersionOf({ resource }: Pick<Writing, 'resource'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

// Many writes share a second; making its text anew for each would be the dearest part of the bookkeeping.
let lastSecond = -1
let lastText = ''

/** The time of a write, in whole seconds. */
export function timeOf({ now }: Pick<Writing, 'now'>): string {
  const second = Math.floor(now / 1000)
  if (second !== lastSecond) {
    lastText = timestamp(second * 1000)
    lastSecond = second
  }
  return lastText
}

/** Objects are JSON; their type merely says more. */
export function asJson(object: KubeObject): JsonObject {
  return object as unknown as JsonObject
}
