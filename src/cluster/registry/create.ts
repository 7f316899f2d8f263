import { randomBytes } from 'node:crypto'
import {
  alreadyExists,
  badRequest,
  invalid,
  type KubeObject,
  timestamp,
  exactJsonText,
} from '../../kube/index.ts'
import { StoreConflict } from '../storage/index.ts'
import { dropDuplicateOwners } from './duplicate-owners.ts'
import { keyOf, storedAs } from './keys.ts'
import { ownFields } from './managers.ts'
import { admit, allOf, mutate, type RegistryParts } from './parts.ts'
import { plainFailure } from './plain-failure.ts'
import type { ResourceRequest } from './request.ts'
import { apiVersionOf, type Encoded, encode } from './stored-object.ts'
import { validateMetadata } from './validation/metadata.ts'

/** How often a generated name that is taken already is generated anew. */
const nameAttempts = 8

export interface CreateOptions {
  /** `managedFields` of the body are right already (server-side apply). */
  readonly managesFields?: boolean
}

/**
 * Creates an object: defaults, mutating admission, server-owned fields, validation, validating admission, write.
 *
 * @param body the decoded object in the version of the request; it becomes the new object.
 * @throws {StatusError} `Invalid`, `Forbidden`, `AlreadyExists`, or what admission says.
 */
export async function createObject(
  parts: RegistryParts,
  request: ResourceRequest,
  body: KubeObject,
  options: CreateOptions = {},
): Promise<Encoded> {
  const { resource } = request
  const object = body
  object.metadata ??= {}
  wipe(object.metadata)
  checkNamespace(object, request)
  checkName(object, request)
  if (!options.managesFields) dropDuplicateOwners(object, request, 'in-request')
  resource.setDefaults?.(object)
  if (!options.managesFields) ownFields(object, undefined, request, parts.now())
  const admission = {
    operation: 'CREATE',
    request,
    object: withType(object, request),
  } as const
  await mutate(parts, admission)
  dropDuplicateOwners(object, request, 'after-admission')
  // Whoever may change an object may not move it elsewhere.
  checkNamespace(object, request)
  checkName(object, request)
  if (!object.metadata.name && object.metadata.generateName)
    object.metadata.name = generated(object.metadata.generateName)
  own(parts, request, object)
  const all = allOf(parts, resource)
  resource.prepareForCreate?.(object, request, all)
  const faults = [
    ...validateMetadata(object, resource),
    ...(resource.examine ? await resource.examine(object) : []),
    ...(resource.validate?.(object, request, all) ?? []),
  ]
  if (faults.length > 0)
    throw invalid({ kind: resource.kind, group: resource.group, name: object.metadata.name ?? '' }, faults)
  const place = parts.inFlight.place(resource)
  place.take(object)
  try {
    await admit(parts, admission)
    if (object.metadata.resourceVersion)
      throw plainFailure('resourceVersion should not be set on objects to be created')
    return await write(parts, request, object)
  } finally {
    place.leave()
  }
}

/** Forgets what a new object cannot have, before anybody could be said to own it. */
function wipe(metadata: KubeObject['metadata']): void {
  for (const field of [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
  ] as const)
    delete metadata[field]
}

/** Fills in what the server alone decides. */
function own(parts: RegistryParts, request: ResourceRequest, object: KubeObject): void {
  const { metadata } = object
  metadata.uid = parts.newUid()
  metadata.creationTimestamp = timestamp(parts.now())
  if (request.resource.tracksGeneration) metadata.generation = 1
  else delete metadata.generation
  if (!request.resource.hasStatus) return
  // Built-in kinds are Go structs: their status is there from the start, if only empty.
  if (request.resource.isCustom) delete object['status']
  else if (!request.resource.keepsStatusOnCreate) object['status'] = {}
}

async function write(parts: RegistryParts, request: ResourceRequest, object: KubeObject): Promise<Encoded> {
  const { resource } = request
  const stem = object.metadata.generateName
  const form = resource.conversion ? await resource.conversion.toStored(object) : stored(resource, object)
  for (let attempt = 1; ; attempt++) {
    const name = object.metadata.name ?? ''
    const key = keyOf(storedAs(resource), object.metadata.namespace, name)
    if (request.dryRun) {
      if (parts.store.latest(key)) throw alreadyExists({ kind: resource.plural, group: resource.group, name })
      const dry = encode(form, 0)
      delete dry.value.metadata.resourceVersion
      return { value: dry.value, json: exactJsonText(dry.value) }
    }
    try {
      const made = await parts.store.write({
        key,
        expected: 0,
        make: (revision) => encode(form, revision),
      })
      if (made) return made
      throw new Error(`the store kept nothing under "${key}"`)
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error
      if (!stem || attempt >= nameAttempts)
        throw alreadyExists({ kind: resource.plural, group: resource.group, name })
      object.metadata.name = generated(stem)
      form.metadata.name = object.metadata.name
    }
  }
}

/** Gives the object kind and apiVersion, which admission steps and policies look at. */
export function withType(object: KubeObject, request: ResourceRequest): KubeObject {
  object.kind = request.resource.kind
  object.apiVersion = apiVersionOf(request.resource)
  return object
}

function stored(resource: ResourceRequest['resource'], object: KubeObject): KubeObject {
  return resource.convert ? resource.convert.toStored(object) : object
}

/** @throws {StatusError} `BadRequest` when the request's path names another object, or the object has no name. */
export function checkName({ metadata }: KubeObject, request: ResourceRequest): void {
  if (request.name === undefined) return
  if (!metadata.name)
    throw badRequest(
      `the name of the object (${request.name} based on URL) was undeterminable: name must be provided`,
    )
  if (metadata.name !== request.name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${request.name})`,
    )
}

function checkNamespace(object: KubeObject, request: ResourceRequest): void {
  const { metadata } = object
  if (!request.resource.namespaced) return
  if (metadata.namespace && metadata.namespace !== request.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (request.namespace) metadata.namespace = request.namespace
}

/** Kubernetes' alphabet for generated names: no vowels, no characters that look alike. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** `stem` and five random characters, cut to what fits a label. */
function generated(stem: string): string {
  let suffix = ''
  for (const byte of randomBytes(5)) suffix += suffixAlphabet[byte % suffixAlphabet.length]
  return stem.slice(0, 58) + suffix
}
