import { kinds } from '../../../kube/index.ts'
import { type ControllerContext, unlessGone } from '../controller.ts'
import { claimsOf, type Owner, referenceOf, type SetPod } from './pods.ts'

/** Makes the claims of an ordinal's pod that are not there yet. */
export async function ensureClaims(
  { client, signal }: ControllerContext,
  owner: Owner,
  ordinal: number,
): Promise<void> {
  const { namespace = '' } = owner.metadata
  const isOwned = owner.spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete'
  for (const { claim } of claimsOf(owner, ordinal)) {
    const at = { namespace, name: claim.metadata.name }
    if ((await unlessGone(client.get(kinds.persistentVolumeClaims, at, { signal }))) !== undefined) continue
    const metadata = { ...claim.metadata, ...(isOwned && { ownerReferences: [referenceOf(owner)] }) }
    await client.create(kinds.persistentVolumeClaims, { ...claim, metadata }, { namespace, signal })
  }
}

/** Says whom the claims of a pod go with: the set, the pod that is being scaled away, or nobody. */
export async function tendClaims(
  { client, informers, signal }: ControllerContext,
  owner: Owner,
  pod: { readonly pod: SetPod; readonly ordinal: number; readonly isCondemned: boolean },
): Promise<void> {
  const { persistentVolumeClaimRetentionPolicy: policy } = owner.spec ?? {}
  const { namespace = '', uid } = owner.metadata
  const { name, uid: podUid } = pod.pod.metadata
  for (const { claim } of claimsOf(owner, pod.ordinal)) {
    const at = { namespace, name: claim.metadata.name }
    const stored = informers.of(kinds.persistentVolumeClaims).get(at)
    if (stored === undefined) continue
    const before = stored.metadata.ownerReferences ?? []
    const others = before.filter((ref) => ref.uid !== uid && ref.uid !== podUid)
    const wanted =
      pod.isCondemned && policy?.whenScaled === 'Delete'
        ? [{ apiVersion: 'v1', kind: 'Pod', name, uid: podUid }]
        : policy?.whenDeleted === 'Delete'
          ? [referenceOf(owner)]
          : []
    const ownerReferences = [...others, ...wanted]
    if (uidsOf(ownerReferences) === uidsOf(before)) continue
    const next = { ...stored, metadata: { ...stored.metadata, ownerReferences } }
    await unlessGone(client.replace(kinds.persistentVolumeClaims, at, next, { signal }))
  }
}

function uidsOf(references: readonly { uid: string }[]): string {
  return references
    .map(({ uid }) => uid)
    .sort()
    .join()
}
