import type { JsonObject, KubeObject } from '../../kube/index.ts'
import { notFound } from '../../kube/index.ts'
import { StoreConflict } from '../storage/index.ts'
import type { Admission } from './admission.ts'
import { type CreateOptions, createObject } from './create.ts'
import { type Deleted, type DeleteOptions, deleteObject } from './delete.ts'
import { InFlight } from './in-flight.ts'
import { inVersion } from './in-version.ts'
import { keyOf, storedAs } from './keys.ts'
import { checkReached, type Listed, listInVersion, type ListOptions } from './list.ts'
import { admit, mutate, type RegistryParts } from './parts.ts'
import type { Writer } from './reader.ts'
import type { ResourceRequest } from './request.ts'
import { copyOf, type Encoded, encode } from './stored-object.ts'
import { type Change, updateObject } from './update.ts'
import { type Event, type WatchOptions, watchObjects } from './watch.ts'

/** `metav1.GetOptions`. */
export interface GetOptions {
  /** The answer must be at least as new. */
  readonly resourceVersion?: string
}

/**
 * The one pipeline every request to a stored kind goes through, whatever the kind. Authorisation has happened before;
 * admission happens here.
 */
export interface Registry {
  create(request: ResourceRequest, body: KubeObject, options?: CreateOptions): Promise<Encoded>
  /**
   * For kinds of the cluster's own, which nobody else converts; {@link read} is for any.
   *
   * @throws {StatusError} `NotFound`, `Timeout` for a version that is still to come.
   */
  get(request: ResourceRequest, options?: GetOptions): Encoded
  /** @throws {StatusError} as {@link get} */
  read(request: ResourceRequest, options?: GetOptions): Promise<Encoded>
  list(request: ResourceRequest, options: ListOptions): Promise<Listed>
  watch(request: ResourceRequest, options: WatchOptions, signal: AbortSignal): AsyncIterable<readonly Event[]>
  update(request: ResourceRequest, change: Change): Promise<Encoded>
  delete(request: ResourceRequest, options: DeleteOptions, body?: JsonObject): Promise<Deleted>
  /**
   * Runs admission for a stream to an object (`pods/exec`): `options` say what is wanted.
   *
   * @throws {StatusError} `Forbidden`.
   */
  connect(request: ResourceRequest, options: KubeObject): Promise<void>
  /**
   * Runs admission for what is created and never stored (`pods/eviction`); the body may come out changed.
   *
   * @throws {StatusError} `Forbidden`, or what admission says.
   */
  admit(request: ResourceRequest, body: KubeObject): Promise<void>
  /** Deletes what a list would show; returns the objects as they were. */
  deleteCollection(request: ResourceRequest, selected: ListOptions, options: DeleteOptions): Promise<Listed>
}

export function createRegistry(given: Omit<RegistryParts, 'inFlight'>): Registry {
  const parts: RegistryParts = { ...given, inFlight: new InFlight() }
  const registry: Registry = {
    create: async (request, body, options) =>
      inVersion(request.resource, await createObject(parts, request, body, options)),
    get: (request, options) => getObject(parts, request, options),
    read: async (request, options) => inVersion(request.resource, getObject(parts, request, options)),
    list: (request, options) => listInVersion(parts, request, options),
    watch: (request, options, signal) => watchObjects(parts.store, request, options, signal),
    update: async (request, change) =>
      inVersion(request.resource, await updateObject(parts, request, change)),
    async delete(request, options, body) {
      const deleted = await deleteObject(parts, request, options, body)
      return { ...deleted, object: await inVersion(request.resource, deleted.object) }
    },
    connect: (request, object) => runAdmission(parts, { operation: 'CONNECT', request, object }),
    admit: (request, object) => runAdmission(parts, { operation: 'CREATE', request, object }),
    async deleteCollection(request, selected, options) {
      const listed = await listInVersion(parts, request, selected)
      for (const { value } of listed.items) {
        const { name = '', namespace } = value.metadata
        try {
          await deleteObject(
            parts,
            { ...request, name, ...(namespace && { namespace }), warn: request.warn },
            options,
          )
        } catch (error) {
          // Gone already is what was wanted.
          if (!(error instanceof Error && 'reason' in error && error.reason === 'NotFound')) throw error
        }
      }
      return listed
    },
  }
  return registry
}

async function runAdmission(parts: RegistryParts, admission: Admission): Promise<void> {
  await mutate(parts, admission)
  await admit(parts, admission)
}

function getObject(
  parts: RegistryParts,
  request: ResourceRequest,
  { resourceVersion }: GetOptions = {},
): Encoded {
  if (resourceVersion) checkReached(parts.store, resourceVersion)
  const { resource, namespace, name = '' } = request
  const stored = parts.store.get(keyOf(storedAs(resource), resource.namespaced ? namespace : undefined, name))
  if (!stored) throw notFound({ kind: resource.plural, group: resource.group, name })
  return stored
}

/** The {@link Writer} for the server's own changes: straight to the store. */
export function writerOf(parts: Pick<RegistryParts, 'store'>): Writer {
  return {
    async update(resource, namespace, name, change) {
      const key = keyOf(resource, namespace, name)
      for (;;) {
        const current = parts.store.latest(key)
        if (!current) {
          const [group = '', plural = ''] = resource.split('/')
          throw notFound({ kind: plural, group, name })
        }
        const next = change(copyOf(current))
        if (!next) return current.value
        try {
          const made = await parts.store.write({
            key,
            expected: current.revision,
            make: (revision) => encode(next, revision),
          })
          return made?.value ?? next
        } catch (error) {
          if (!(error instanceof StoreConflict)) throw error
        }
      }
    },
  }
}
