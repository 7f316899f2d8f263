import { keyOf, type Persisted, type Pod, type SharedInformer } from '../../kube/index.ts'

/** Keys of the pods on each node. */
export class PodsByNode {
  readonly #keys = new Map<string, Set<string>>()
  readonly #nodeOf = new Map<string, string>()
  readonly #pods: SharedInformer<Pod>

  /** Follows the informer from its first pod on. */
  constructor(pods: SharedInformer<Pod>) {
    this.#pods = pods
    pods.subscribe((change) => {
      const key = keyOf(change.object)
      const before = this.#nodeOf.get(key)
      const after = change.type === 'DELETED' ? undefined : change.object.spec?.nodeName
      if (before === after) return
      if (before !== undefined) {
        const keys = this.#keys.get(before)
        keys?.delete(key)
        if (keys?.size === 0) this.#keys.delete(before)
        this.#nodeOf.delete(key)
      }
      if (after) {
        const keys = this.#keys.get(after) ?? new Set()
        this.#keys.set(after, keys.add(key))
        this.#nodeOf.set(key, after)
      }
    })
  }

  nodes(): Iterable<string> {
    return this.#keys.keys()
  }

  on(nodeName: string): Persisted<Pod>[] {
    const found: Persisted<Pod>[] = []
    for (const key of this.#keys.get(nodeName) ?? []) {
      const pod = this.#pods.objects.get(key)
      if (pod !== undefined) found.push(pod)
    }
    return found
  }
}
