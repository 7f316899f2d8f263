import { kinds, type Persisted, type Pod, type ResourceType } from '../../../kube/index.ts'
import { type ControllerContext, unlessGone } from '../controller.ts'

interface Adopter<T> {
  readonly type: ResourceType<T>
  readonly ownKind: { readonly apiVersion: string; readonly kind: string }
}

/** An owner's pods: those that fit and nobody has are taken, those that no longer fit are let go. */
export async function claimPods<T>(
  { client, signal }: ControllerContext,
  { type, ownKind }: Adopter<T>,
  owner: Persisted<T>,
  pods: Iterable<Persisted<Pod>>,
  fits: (pod: Persisted<Pod>) => boolean,
): Promise<Persisted<Pod>[]> {
  const { uid, name, namespace = '', deletionTimestamp } = owner.metadata
  const kept: Persisted<Pod>[] = []
  const free: Persisted<Pod>[] = []
  for (const pod of pods) {
    const ref = controllerOf(pod)
    if (ref?.uid === uid) {
      if (fits(pod)) kept.push(pod)
      else if (deletionTimestamp === undefined) await patchOwner(pod, { $patch: 'delete', uid })
    } else if (ref === undefined && pod.metadata.deletionTimestamp === undefined && fits(pod)) {
      free.push(pod)
    }
  }
  if (free.length === 0 || deletionTimestamp !== undefined) return kept
  // The cache may lag behind a deletion that orphaned these very pods.
  const fresh = await unlessGone(client.get(type, { namespace, name }, { signal }))
  if (fresh?.metadata.uid !== uid || fresh.metadata.deletionTimestamp !== undefined) return kept
  const reference = { ...ownKind, name, uid, controller: true, blockOwnerDeletion: true }
  for (const pod of free) {
    const adopted = await patchOwner(pod, reference)
    if (adopted !== undefined) kept.push(adopted)
  }
  return kept

  function patchOwner(pod: Persisted<Pod>, reference: object): Promise<Persisted<Pod> | undefined> {
    const patch = { metadata: { uid: pod.metadata.uid, ownerReferences: [reference] } } as never
    const at = { namespace, name: pod.metadata.name }
    return unlessGone(client.patch(kinds.pods, at, { type: 'strategic', patch }, { signal }))
  }
}

export function controllerOf({ metadata }: Persisted<Pod>) {
  return (metadata.ownerReferences ?? []).find(({ controller }) => controller)
}
