import type { KubeObject } from '../../kube/index.ts'
import { storedAs } from './keys.ts'
import type { ResourceDefinition } from './resource.ts'

/**
 * Objects that were found to take nothing that another has, and are on their way to the disk. Readers see only what is
 * durable, so two that come in the same instant would not see each other in the store.
 */
export class InFlight {
  readonly #objects = new Map<string, Set<KubeObject>>()

  /** Those of one kind. */
  of(resource: ResourceDefinition): Iterable<KubeObject> {
    return this.#objects.get(storedAs(resource)) ?? []
  }

  /** A place for one request's object of this kind. Kinds that share whatever they like need none. */
  place(resource: ResourceDefinition): Place {
    if (!resource.isExclusive) return noPlace
    const key = storedAs(resource)
    let taken: KubeObject | undefined
    const leave = (): void => {
      if (taken) this.#objects.get(key)?.delete(taken)
    }
    return {
      take: (object) => {
        leave()
        taken = object
        const objects = this.#objects.get(key) ?? new Set()
        objects.add(object)
        this.#objects.set(key, objects)
      },
      leave,
    }
  }
}

export interface Place {
  /** In the same turn as the check that nobody else has what the object takes. */
  take(object: KubeObject): void
  /** When the object is in the store, or will never be. */
  leave(): void
}

const noPlace: Place = { take: () => undefined, leave: () => undefined }
