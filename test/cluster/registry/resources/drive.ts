import type { Fault } from '../../../../src/cluster/registry/faults.ts'
import type { ResourceRequest, Verb } from '../../../../src/cluster/registry/request.ts'
import type { ResourceDefinition } from '../../../../src/cluster/registry/resource.ts'
import { decodeJson } from '../../../../src/cluster/registry/schema/decode.ts'
import {
  validateMetadata,
  validateMetadataUpdate,
} from '../../../../src/cluster/registry/validation/metadata.ts'
import type { KubeObject } from '../../../../src/kube/index.ts'

/** What a test writes: nested records. */
export type Body = Record<string, unknown>

/** A request as the registry would make it, with the parts that definitions look at. */
export function requestOf(resource: ResourceDefinition, verb: Verb, subresource?: string): ResourceRequest {
  return {
    user: { name: 'tester', groups: [] },
    verb,
    resource,
    ...(subresource !== undefined && { subresource }),
    dryRun: false,
    fieldManager: 'test',
    fieldValidation: 'Strict',
    signal: new AbortController().signal,
    warn: () => {},
  }
}

/** The kind has no other objects. */
const none = (): KubeObject[] => []

const owned = {
  uid: '11111111-2222-3333-4444-555555555555',
  creationTimestamp: '2026-01-01T00:00:00Z',
  resourceVersion: '7',
}

function prepared(definition: ResourceDefinition, body: Body): KubeObject {
  const { group, version, kind } = definition
  const text = JSON.stringify({
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    ...body,
  })
  const { object } = decodeJson(text, definition, 'Strict')
  if (definition.namespaced) object.metadata.namespace ??= 'default'
  definition.setDefaults?.(object)
  Object.assign(object.metadata, { uid: owned.uid, creationTimestamp: owned.creationTimestamp })
  if (definition.hasStatus && !definition.keepsStatusOnCreate) object['status'] = {}
  definition.prepareForCreate?.(object, requestOf(definition, 'create'), none)
  return object
}

/** The object that would be stored. Fails where the server would refuse it. */
export function created(definition: ResourceDefinition, body: Body): KubeObject {
  const object = prepared(definition, body)
  const faults = faultsOf(definition, object)
  if (faults.length > 0) throw new Error(lines(faults).join('\n'))
  return object
}

/** One line per fault, as in a message of the server. */
export function createFaults(definition: ResourceDefinition, body: Body): string[] {
  return lines(faultsOf(definition, prepared(definition, body)))
}

function faultsOf(definition: ResourceDefinition, object: KubeObject): Fault[] {
  return [
    ...validateMetadata(object, definition),
    ...(definition.validate?.(object, requestOf(definition, 'create'), none) ?? []),
  ]
}

/** Faults of a change to an object that has been created from `body`. */
export function updateFaults(
  definition: ResourceDefinition,
  body: Body,
  change: (object: KubeObject) => void,
  subresource?: string,
): string[] {
  const old = created(definition, body)
  return changeFaults(definition, old, change, subresource)
}

/** Faults of a change to a stored object. */
export function changeFaults(
  definition: ResourceDefinition,
  old: KubeObject,
  change: (object: KubeObject) => void,
  subresource?: string,
): string[] {
  Object.assign(old.metadata, owned)
  const object = structuredClone(old)
  change(object)
  const request = requestOf(definition, 'update', subresource)
  definition.setDefaults?.(object)
  definition.prepareForUpdate?.(object, old, request, none)
  return lines([
    ...validateMetadataUpdate(object, old, definition),
    ...(definition.validate?.(object, request, none) ?? []),
    ...(definition.validateUpdate?.(object, old, request) ?? []),
  ])
}

function lines(faults: readonly Fault[]): string[] {
  return faults.map(({ field, message }) => `${field}: ${message}`)
}

/** The row of the object in a table, by column name. */
export function row(
  definition: ResourceDefinition,
  object: KubeObject,
  now = Date.parse('2026-01-01T01:00:00Z'),
): Record<string, unknown> {
  return Object.fromEntries(
    (definition.columns ?? []).map((column) => [column.name, column.cell(object, now)]),
  )
}

/** A value deep inside an object. */
export function at(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      object,
    )
}

/** Sets a value deep inside an object, making what is missing on the way. */
export function put(object: object, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let place: object = object
  for (const key of keys) {
    const next: unknown = Reflect.get(place, key)
    if (typeof next === 'object' && next !== null) place = next
    else {
      const made = {}
      Reflect.set(place, key, made)
      place = made
    }
  }
  if (value === undefined) Reflect.deleteProperty(place, last)
  else Reflect.set(place, last, value)
}
