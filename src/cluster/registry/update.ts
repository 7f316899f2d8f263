import { isDeepStrictEqual } from 'node:util'
import {
  badRequest,
  conflict,
  invalid,
  type JsonObject,
  type KubeObject,
  notFound,
  type StatusError,
} from '../../kube/index.ts'
import { StoreConflict, type Stored } from '../storage/index.ts'
import { checkName, withType } from './create.ts'
import { invalidValue } from './faults.ts'
import type { Place } from './in-flight.ts'
import { keyOf, storedAs } from './keys.ts'
import { ownFields } from './managers.ts'
import { admit, allOf, mutate, type RegistryParts } from './parts.ts'
import type { ResourceRequest } from './request.ts'
import { sameJson } from './same-json.ts'
import { copyOf, type Encoded, encode, typed } from './stored-object.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/metadata.ts'

/** How often a change is tried again when another write came between and the user named no version. */
const attempts = 10

/** How an update makes the next object. */
export interface Change {
  /** Gets its own copy, with kind and apiVersion; may be called again when another write came between. */
  next(current: KubeObject): KubeObject | Promise<KubeObject>
  /** The request must not change an object of another uid. */
  readonly uid?: string
  /** `managedFields` of the result are right already (server-side apply). */
  readonly managesFields?: boolean
  readonly options?: JsonObject
}

/**
 * Changes an object: replace and every kind of patch, of the whole object or of its status.
 *
 * @throws {StatusError} `NotFound`, `Conflict`, `Invalid`, `Forbidden`, or what admission says.
 */
export async function updateObject(
  parts: RegistryParts,
  request: ResourceRequest,
  change: Change,
): Promise<Encoded> {
  const name = request.name ?? ''
  const key = keyOf(
    storedAs(request.resource),
    request.resource.namespaced ? request.namespace : undefined,
    name,
  )
  const place = parts.inFlight.place(request.resource)
  try {
    return await changeStored(parts, request, change, key, place)
  } finally {
    place.leave()
  }
}

async function changeStored(
  parts: RegistryParts,
  request: ResourceRequest,
  change: Change,
  key: string,
  place: Place,
): Promise<Encoded> {
  for (let attempt = 1; ; attempt++) {
    const current = parts.store.latest(key)
    if (!current) throw notFound(named(request))
    const { object, pinned } = await nextObject(parts, request, { ...change, place }, current)
    const next = shapeForStore(request, object)
    if (isSame(next, current)) {
      // The current value may still be on its way to disk: nobody may see it before.
      if (parts.store.get(key) !== current) await parts.store.flushed()
      return current
    }
    if (request.dryRun) return encode(next, current.revision)
    try {
      return await writeChange(parts, request, key, current, next)
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error
      if (pinned || attempt >= attempts) throw modified(request)
    }
  }
}

/** The next object after defaults, admission and validation. `pinned`: the user named the version it changes. */
async function nextObject(
  parts: RegistryParts,
  request: ResourceRequest,
  change: Change & { readonly place: Place },
  current: Stored<KubeObject>,
): Promise<{ object: KubeObject; pinned: boolean }> {
  const { resource } = request
  const old = typed(resource, current.value)
  const object = await change.next(typed(resource, copyOf(current)))
  object.metadata ??= {}
  const pinned = checkIdentity(request, change, object, old)
  resource.setDefaults?.(object)
  const admission = {
    operation: 'UPDATE',
    request,
    object: withType(object, request),
    oldObject: old,
    ...(change.options && { options: change.options }),
  } as const
  keepOwned(object, old)
  keepOtherHalf(request, object, old)
  if (!change.managesFields) ownFields(object, old, request, parts.now())
  // Nor does what admission makes of a request reach beyond the half that the request is about.
  if (await mutate(parts, admission)) keepOtherHalf(request, object, old)
  const all = allOf(parts, resource)
  resource.prepareForUpdate?.(object, old, request, all)
  countGeneration(request, object, old)
  const faults = [
    ...validateMetadata(object, resource),
    ...validateMetadataUpdate(object, old, resource),
    ...(resource.validate?.(object, request, all) ?? []),
    ...(resource.validateUpdate?.(object, old, request) ?? []),
  ]
  if (faults.length > 0)
    throw invalid({ kind: resource.kind, group: resource.group, name: object.metadata.name ?? '' }, faults)
  change.place.take(object)
  await admit(parts, admission)
  return { object, pinned }
}

function checkIdentity(
  request: ResourceRequest,
  change: Change,
  object: KubeObject,
  old: KubeObject,
): boolean {
  const { metadata } = object
  checkName(object, request)
  if (request.resource.namespaced && metadata.namespace && metadata.namespace !== request.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  const uid = change.uid ?? metadata.uid
  if (uid && uid !== old.metadata.uid)
    throw conflict(
      named(request),
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
    )
  const asked = metadata.resourceVersion
  if (!asked && request.resource.updateNeedsVersion && request.verb === 'update')
    throw invalid({ kind: request.resource.kind, group: request.resource.group, name: request.name ?? '' }, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  if (asked && asked !== old.metadata.resourceVersion) throw modified(request)
  return Boolean(asked) && request.verb === 'update'
}

/** Server-owned metadata stays as it is whatever the request says. */
function keepOwned(object: KubeObject, old: KubeObject): void {
  const { metadata } = object
  const was = old.metadata
  metadata.name = was.name ?? ''
  // An update that names no version changes whatever version is there.
  metadata.resourceVersion = was.resourceVersion ?? ''
  if (was.namespace) metadata.namespace = was.namespace
  for (const field of [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
  ] as const) {
    if (was[field] === undefined) delete metadata[field]
    else Object.assign(metadata, { [field]: was[field] })
  }
}

/** An update of the object leaves its status alone, an update of the status leaves the rest alone. */
function keepOtherHalf(request: ResourceRequest, object: KubeObject, old: KubeObject): void {
  // Binding is the server's own doing: it names the node and says in the status that the pod is scheduled.
  if (!request.resource.hasStatus || request.subresource === 'binding') return
  if (changesStatus(request)) {
    for (const field of Object.keys(object))
      if (!(field in old) && field !== 'status' && field !== 'metadata') delete object[field]
    for (const field of Object.keys(old))
      if (field !== 'status' && field !== 'metadata') object[field] = old[field]
    if (request.resource.isCustom) {
      const { managedFields } = object.metadata
      object.metadata = { ...old.metadata, ...(managedFields && { managedFields }) }
    }
  } else if (old['status'] === undefined) delete object['status']
  else object['status'] = old['status']
}

function changesStatus({ resource, subresource }: ResourceRequest): boolean {
  return subresource === 'status' || (subresource !== undefined && resource.views?.[subresource] === 'status')
}

function countGeneration(request: ResourceRequest, object: KubeObject, old: KubeObject): void {
  // Where a pod goes is the scheduler's word about it, not a new wish of its author.
  if (!request.resource.tracksGeneration || changesStatus(request) || request.subresource === 'binding')
    return
  const desired = ({ metadata: _metadata, status: _status, ...rest }: KubeObject): unknown => rest
  if (!isDeepStrictEqual(desired(object), desired(old)))
    object.metadata.generation = (old.metadata.generation ?? 0) + 1
}

function shapeForStore(request: ResourceRequest, object: KubeObject): KubeObject {
  const {
    kind: _kind,
    apiVersion: _apiVersion,
    ...rest
  } = request.resource.convert ? request.resource.convert.toStored(object) : object
  return { ...rest, metadata: object.metadata }
}

/** True when nothing but the version would differ. */
function isSame(next: KubeObject, current: Stored<KubeObject>): boolean {
  const metadata = { ...next.metadata, resourceVersion: String(current.revision) }
  return sameJson({ ...next, metadata }, current.value)
}

async function writeChange(
  parts: RegistryParts,
  request: ResourceRequest,
  key: string,
  current: Stored<KubeObject>,
  next: KubeObject,
): Promise<Encoded> {
  if (isFinished(request, next)) {
    // The last hold on a deleted object is gone: this update is its end.
    await parts.store.write({ key, expected: current.revision })
    return encode(next, current.revision)
  }
  const made = await parts.store.write({
    key,
    expected: current.revision,
    make: (revision) => encode(next, revision),
  })
  if (!made) throw new Error(`the store kept nothing under "${key}"`)
  return made
}

function isFinished(request: ResourceRequest, object: KubeObject): boolean {
  const { metadata } = object
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers?.length ?? 0) === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    !request.resource.isHeld?.(object)
  )
}

function named(request: ResourceRequest): { kind: string; group: string; name: string } {
  return { kind: request.resource.plural, group: request.resource.group, name: request.name ?? '' }
}

export function modified(request: ResourceRequest): StatusError {
  return conflict(
    named(request),
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}
