import {
  conflict,
  type JsonObject,
  type KubeObject,
  notFound,
  timestamp,
  exactJsonText,
} from '../../kube/index.ts'
import { StoreConflict, type Stored } from '../storage/index.ts'
import { valueInVersion } from './in-version.ts'
import { keyOf, storedAs } from './keys.ts'
import { admit, mutate, type RegistryParts } from './parts.ts'
import type { ResourceRequest } from './request.ts'
import { copyOf, type Encoded, encode, typed } from './stored-object.ts'

/** `metav1.DeleteOptions` as far as they matter to storage. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

/** `isGone` tells an object that is removed from one that finalizers or a grace period still hold. */
export interface Deleted {
  readonly object: Encoded
  readonly isGone: boolean
}

/**
 * Deletes an object, or marks it for deletion when something holds it.
 *
 * @throws {StatusError} `NotFound`, `Conflict` for preconditions, `Forbidden`.
 */
export async function deleteObject(
  parts: RegistryParts,
  request: ResourceRequest,
  options: DeleteOptions,
  body?: JsonObject,
): Promise<Deleted> {
  const { resource } = request
  const { propagationWarning } = resource
  if (propagationWarning !== undefined && options.propagationPolicy === undefined) {
    request.warn(propagationWarning)
  }
  const key = keyOf(
    storedAs(resource),
    resource.namespaced ? request.namespace : undefined,
    request.name ?? '',
  )
  for (;;) {
    const current = parts.store.latest(key)
    if (!current) throw notFound({ kind: resource.plural, group: resource.group, name: request.name ?? '' })
    const oldObject = typed(
      resource,
      resource.conversion ? await valueInVersion(resource, current.value) : current.value,
    )
    checkPreconditions(request, options, oldObject)
    resource.checkDelete?.(oldObject, request)
    const admission = { operation: 'DELETE', request, oldObject, options: body ?? asBody(options) } as const
    await mutate(parts, admission)
    await admit(parts, admission)
    try {
      return await remove(parts, request, options, key, current)
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error
    }
  }
}

/** Options of a query, as a body would have had them. */
function asBody({ gracePeriodSeconds, propagationPolicy, preconditions }: DeleteOptions): JsonObject {
  return {
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(propagationPolicy && { propagationPolicy }),
    ...(preconditions && { preconditions: { ...preconditions } }),
  }
}

async function remove(
  parts: RegistryParts,
  request: ResourceRequest,
  options: DeleteOptions,
  key: string,
  current: Stored<KubeObject>,
): Promise<Deleted> {
  const { resource } = request
  const object = copyOf(current)
  const grace = graceOf(resource, object, options.gracePeriodSeconds)
  setPropagation(object, options, resource.defaultPropagation)
  const isHeld =
    grace > 0 || (object.metadata.finalizers?.length ?? 0) > 0 || resource.isHeld?.(object) === true
  if (!isHeld) {
    if (!request.dryRun) await parts.store.write({ key, expected: current.revision })
    return { object: resource.gracePeriodSeconds ? withoutGrace(parts, object) : current, isGone: true }
  }
  markDeleting(parts, request, object, grace)
  const next = encode(object, current.revision)
  if (request.dryRun) return { object: next, isGone: false }
  if (next.json === current.json) {
    if (parts.store.get(key) !== current) await parts.store.flushed()
    return { object: current, isGone: false }
  }
  const made = await parts.store.write({
    key,
    expected: current.revision,
    make: (revision) => encode(object, revision),
  })
  return { object: made ?? next, isGone: false }
}

/** What has a grace running keeps it, whatever happened to it since, unless a shorter one is asked for. */
function graceOf(
  { gracePeriodSeconds }: ResourceRequest['resource'],
  object: KubeObject,
  asked: number | undefined,
): number {
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = object.metadata
  if (deletionTimestamp === undefined || running === undefined || !gracePeriodSeconds)
    return gracePeriodSeconds?.(object, asked) ?? 0
  return Math.min(asked ?? running, running)
}

/** The last state of an object that could have had a grace period and had none. */
function withoutGrace(parts: RegistryParts, object: KubeObject): Encoded {
  object.metadata.deletionTimestamp ??= timestamp(parts.now())
  object.metadata.deletionGracePeriodSeconds = 0
  return { value: object, json: exactJsonText(object) }
}

function markDeleting(
  parts: RegistryParts,
  request: ResourceRequest,
  object: KubeObject,
  grace: number,
): void {
  const { metadata } = object
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = timestamp(parts.now() + grace * 1000)
    metadata.deletionGracePeriodSeconds = grace
    if (metadata.generation !== undefined) metadata.generation += 1
  } else if (grace < (metadata.deletionGracePeriodSeconds ?? 0)) {
    // A later delete may only shorten the grace, counted from the first one.
    const begun = Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
    metadata.deletionTimestamp = timestamp(begun + grace * 1000)
    metadata.deletionGracePeriodSeconds = grace
  }
  request.resource.onDeleting?.(object)
}

/** The garbage collector reads the user's wish from these two finalizers. */
function setPropagation(
  object: KubeObject,
  options: DeleteOptions,
  usual: 'Background' | 'Orphan' | undefined,
): void {
  const policy = options.propagationPolicy
  const finalizers = object.metadata.finalizers ?? []
  if (policy === undefined && (usual !== 'Orphan' || finalizers.includes('foregroundDeletion'))) return
  const wanted =
    policy === 'Foreground' ? 'foregroundDeletion' : policy === 'Background' ? undefined : 'orphan'
  const kept = finalizers.filter((one) => one !== 'orphan' && one !== 'foregroundDeletion')
  const next = wanted ? [...kept, wanted] : kept
  if (next.length > 0) object.metadata.finalizers = next
  else delete object.metadata.finalizers
}

function checkPreconditions(request: ResourceRequest, options: DeleteOptions, object: KubeObject): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  // Kubernetes names the kind here, not the resource.
  const what = { kind: request.resource.kind, group: request.resource.group, name: request.name ?? '' }
  if (uid && uid !== object.metadata.uid)
    throw conflict(
      what,
      `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion && resourceVersion !== object.metadata.resourceVersion)
    throw conflict(
      what,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${object.metadata.resourceVersion ?? ''}). The object might have been modified`,
    )
}
