import type { JsonObject, KubeObject } from '../../kube/index.ts'
import { notFound } from '../../kube/index.ts'
import { StoreConflict } from '../storage/index.ts'
import { type CreateOptions, createObject } from './create.ts'
import { type Deleted, type DeleteOptions, deleteObject } from './delete.ts'
import { keyOf, storedAs } from './keys.ts'
import { type Listed, type ListOptions, listObjects } from './list.ts'
import { admit, mutate, type RegistryParts } from './parts.ts'
import type { Writer } from './reader.ts'
import type { ResourceRequest } from './request.ts'
import { copyOf, type Encoded, encode } from './stored-object.ts'
import { type Change, updateObject } from './update.ts'
import { type Event, type WatchOptions, watchObjects } from './watch.ts'

/**
 * The one pipeline every request to a stored kind goes through, whatever the kind. Authorisation has happened before;
 * admission happens here.
 */
export interface Registry {
  create(request: ResourceRequest, body: KubeObject, options?: CreateOptions): Promise<Encoded>
  /** @throws {StatusError} `NotFound`. */
  get(request: ResourceRequest): Encoded
  list(request: ResourceRequest, options: ListOptions): Listed
  watch(request: ResourceRequest, options: WatchOptions, signal: AbortSignal): AsyncIterable<readonly Event[]>
  update(request: ResourceRequest, change: Change): Promise<Encoded>
  delete(request: ResourceRequest, options: DeleteOptions, body?: JsonObject): Promise<Deleted>
  /**
   * Runs admission for a stream to an object (`pods/exec`): `options` say what is wanted.
   *
   * @throws {StatusError} `Forbidden`.
   */
  connect(request: ResourceRequest, options: KubeObject): Promise<void>
  /** Deletes what a list would show; returns the objects as they were. */
  deleteCollection(request: ResourceRequest, selected: ListOptions, options: DeleteOptions): Promise<Listed>
}

export function createRegistry(parts: RegistryParts): Registry {
  const registry: Registry = {
    create: (request, body, options) => createObject(parts, request, body, options),
    get: (request) => getObject(parts, request),
    list: (request, options) => listObjects(parts.store, request, options),
    watch: (request, options, signal) => watchObjects(parts.store, request, options, signal),
    update: (request, change) => updateObject(parts, request, change),
    delete: (request, options, body) => deleteObject(parts, request, options, body),
    async connect(request, object) {
      const admission = { operation: 'CONNECT', request, object } as const
      await mutate(parts, admission)
      await admit(parts, admission)
    },
    async deleteCollection(request, selected, options) {
      const listed = listObjects(parts.store, request, selected)
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

function getObject(parts: RegistryParts, request: ResourceRequest): Encoded {
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
