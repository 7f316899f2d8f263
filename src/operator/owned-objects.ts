import { type Informer, keyOf, type ObjectMeta, type Persisted } from '../kube/index.ts'

/** The objects of an informer by the uid of the object that controls them. */
export interface OwnedObjects<T> {
  of(ownerUid: string): Persisted<T>[]
}

/**
 * Indexes an informer by controlling owner. Subscribe further listeners after this one: they then find the index up to
 * date.
 */
export function indexByOwner<T>(informer: Informer<T>): OwnedObjects<T> {
  const byOwner = new Map<string, Set<string>>()
  informer.subscribe((change) => {
    if (change.type === 'SYNCED') return
    const key = keyOf(change.object)
    if (change.type === 'MODIFIED') remove(controllerOf(change.previous), key)
    if (change.type === 'DELETED') remove(controllerOf(change.object), key)
    else add(controllerOf(change.object), key)
  })

  function add(owner: string | undefined, key: string): void {
    if (owner === undefined) return
    const keys = byOwner.get(owner) ?? new Set()
    byOwner.set(owner, keys.add(key))
  }

  function remove(owner: string | undefined, key: string): void {
    if (owner === undefined) return
    const keys = byOwner.get(owner)
    keys?.delete(key)
    if (keys?.size === 0) byOwner.delete(owner)
  }

  return {
    of: (ownerUid) =>
      [...(byOwner.get(ownerUid) ?? [])].flatMap((key) => {
        const object = informer.objects.get(key)
        return object ? [object] : []
      }),
  }
}

/** The uid of the object that controls this one. */
export function controllerOf(object: { readonly metadata: ObjectMeta }): string | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller)?.uid
}
