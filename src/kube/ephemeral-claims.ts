import type { PersistentVolumeClaim, Pod, Volume } from './kinds.ts'
import type { Persisted } from './object.ts'

/** Name of the claim that a generic ephemeral volume of a pod stands for. */
export function ephemeralClaimName(podName: string, volume: Pick<Volume, 'name'>): string {
  return `${podName}-${volume.name}`
}

/** Was the claim made for this very pod? Another of that name must not be taken for it. */
export function isClaimOfPod(
  claim: Persisted<PersistentVolumeClaim>,
  pod: { readonly metadata: Pick<Persisted<Pod>['metadata'], 'uid'> },
): boolean {
  return (claim.metadata.ownerReferences ?? []).some(
    ({ controller, uid }) => controller === true && uid === pod.metadata.uid,
  )
}
