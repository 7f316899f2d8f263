import type { KubeObject } from '../../kube/index.ts'
import type { Store } from '../storage/index.ts'
import { keyOf, prefixOf } from './keys.ts'
import type { Reader } from './reader.ts'

/** The {@link Reader} over a store. */
export function readerOf(store: Store<KubeObject>): Reader {
  return {
    get: (resource, namespace, name) => store.get(keyOf(resource, namespace, name))?.value,
    *list(resource, namespace) {
      for (const stored of store.scan(prefixOf(resource, namespace))) yield stored.value
    },
    count: (resource, namespace) => store.count(prefixOf(resource, namespace)),
    version: (resource) => store.version(prefixOf(resource, undefined)),
  }
}
