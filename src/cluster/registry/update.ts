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
import { dropDuplicateOwners } from './duplicate-owners.ts'
import { invalidValue } from './faults.ts'
import type { Place } from './in-flight.ts'
import { valueInVersion } from './in-version.ts'
import { keyOf, storedAs } from './keys.ts'
import { ownFields } from './managers.ts'
import { admit, allOf, mutate, type RegistryParts } from './parts.ts'
import { plainFailure } from './plain-failure.ts'
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
  readonly view?: View
}

/** A subresource of a kind of its own, which admission sees in the place of the object: a scale. */
export interface View {
  readonly subresource: string
  /** The object through it, with kind and apiVersion. */
  of(object: KubeObject): KubeObject
  /** Carries over what admission has made of it. */
  apply(object: KubeObject, view: KubeObject): void
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
    const { conversion } = request.resource
    const next = shapeForStore(request, conversion ? await conversion.toStored(object) : object)
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
  const shown = resource.conversion ? await valueInVersion(resource, current.value) : current.value
  const old = typed(resource, shown)
  const object = await change.next(
    typed(resource, resource.conversion ? structuredClone(shown) : copyOf(current)),
  )
  object.metadata ??= {}
  const pinned = checkIdentity(request, change, object, old)
  if (request.verb === 'update') dropDuplicateOwners(object, request, 'in-request')
  resource.setDefaults?.(object)
  withType(object, request)
  keepOwned(object, old)
  keepOtherHalf(request, object, old)
  const { view } = change
  if (!change.managesFields) {
    const subresource = view?.subresource ?? request.subresource
    ownFields(object, old, { ...request, ...(subresource && { subresource }) }, parts.now())
  }
  const admission = {
    operation: 'UPDATE',
    request: view ? { ...request, subresource: view.subresource } : request,
    object: view ? view.of(object) : object,
    oldObject: view ? view.of(old) : old,
    ...(change.options && { options: change.options }),
  } as const
  if (await mutate(parts, admission)) {
    view?.apply(object, admission.object)
    // Whatever admission has made of it, the other half is not this request's to change.
    keepOtherHalf(request, object, old)
    keepGeneration(object, old)
  }
  dropDuplicateOwners(object, request, 'after-admission')
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
  const asked = askedVersion(metadata.resourceVersion)
  if (!asked && request.resource.updateNeedsVersion && request.verb === 'update')
    throw invalid({ kind: request.resource.kind, group: request.resource.group, name: request.name ?? '' }, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  if (asked && asked !== old.metadata.resourceVersion) throw modified(request)
  return Boolean(asked) && request.verb === 'update'
}

/** The version that an update names; none when it is empty or zero. */
function askedVersion(text: string | undefined): string | undefined {
  if (!text || text === '0') return undefined
  if (!/^\d{1,19}$/.test(text))
    throw plainFailure(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  return text
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
    'selfLink',
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

function keepGeneration({ metadata }: KubeObject, old: KubeObject): void {
  if (old.metadata.generation === undefined) delete metadata.generation
  else metadata.generation = old.metadata.generation
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

function shapeForStore({ resource }: ResourceRequest, object: KubeObject): KubeObject {
  const {
    kind: _kind,
    apiVersion: _apiVersion,
    ...rest
  } = resource.convert ? resource.convert.toStored(object) : object
  return rest
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

function modified(request: ResourceRequest): StatusError {
  return conflict(
    named(request),
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}
