import type { Reader } from '../../../src/cluster/registry/reader.ts'
import type { KubeObject } from '../../../src/kube/index.ts'

/** A reader over objects in memory, with the writes that a test needs. */
export class MemoryReader implements Reader {
  readonly #objects = new Map<string, Map<string, KubeObject>>()
  readonly #versions = new Map<string, number>()

  put(resource: string, object: KubeObject): KubeObject {
    const key = keyOf(object.metadata.namespace, object.metadata.name ?? '')
    const stored = {
      ...object,
      metadata: { uid: `uid-of-${resource}/${key}`, ...object.metadata },
    }
    this.#of(resource).set(key, stored)
    this.#touch(resource)
    return stored
  }

  remove(resource: string, namespace: string | undefined, name: string): void {
    this.#of(resource).delete(keyOf(namespace, name))
    this.#touch(resource)
  }

  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#of(resource).get(keyOf(namespace, name))
  }

  list(resource: string, namespace?: string): Iterable<KubeObject> {
    const all = [...this.#of(resource).values()]
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace)
  }

  count(resource: string, namespace?: string): number {
    return [...this.list(resource, namespace)].length
  }

  version(resource: string): number {
    return this.#versions.get(resource) ?? 0
  }

  #of(resource: string): Map<string, KubeObject> {
    let objects = this.#objects.get(resource)
    if (!objects) {
      objects = new Map()
      this.#objects.set(resource, objects)
    }
    return objects
  }

  #touch(resource: string): void {
    this.#versions.set(resource, this.version(resource) + 1)
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}
