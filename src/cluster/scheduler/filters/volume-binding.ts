import { ephemeralClaimName, isClaimOfPod } from '../../../kube/index.ts'
import { type ClusterView, type Filter, type NodeCheck, PodRefused, type Refusal } from '../filter.ts'
import type { PodInfo } from '../pod-info.ts'
import { claimsForNode, fitsNode, isBindCompleted, waitsForConsumer } from '../volumes.ts'

const name = 'VolumeBinding'
const refuse = (reason: string): Refusal => ({ filter: name, reasons: [reason], isHopeless: true })
const noVolume = refuse("node(s) didn't find available persistent volumes to bind")
const wrongNode = refuse("node(s) didn't match PersistentVolume's node affinity")
const volumeGone = refuse('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')

/** Bound volumes must be reachable from the node; claims that wait for their first pod must find a volume there. */
export const volumeBinding: Filter = {
  name,
  helpedBy: ['node', 'volume'],
  prepare(pod, cluster) {
    if (pod.claims.length === 0) return undefined
    checkClaims(pod, cluster)
    return nodeCheck(pod, cluster)
  },
}

function checkClaims(pod: PodInfo, cluster: ClusterView): void {
  let hasUnbound = false
  for (const claimName of pod.claims) {
    const claim = cluster.claim(pod.namespace, claimName)
    if (claim === undefined) {
      throw new PodRefused(name, missingClaim(pod, claimName))
    }
    if (claim.status?.phase === 'Lost') {
      throw new PodRefused(
        name,
        `persistentvolumeclaim "${claimName}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`,
      )
    }
    if (claim.metadata.deletionTimestamp !== undefined) {
      throw new PodRefused(name, `persistentvolumeclaim "${claimName}" is being deleted`)
    }
    if (isEphemeral(pod, claimName) && !isClaimOfPod(claim, pod.pod)) {
      const where = `${pod.namespace}/${claimName}`
      throw new PodRefused(name, `PVC ${where} was not created for pod ${pod.key} (pod is not owner)`)
    }
    if (!isBindCompleted(claim) && !waitsForConsumer(claim, cluster)) hasUnbound = true
  }
  if (hasUnbound) throw new PodRefused(name, 'pod has unbound immediate PersistentVolumeClaims')
}

function missingClaim(pod: PodInfo, claimName: string): string {
  return isEphemeral(pod, claimName)
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claimName}"`
    : `persistentvolumeclaim "${claimName}" not found`
}

function isEphemeral(pod: PodInfo, claimName: string): boolean {
  return (pod.spec.volumes ?? []).some(
    (volume) => volume.ephemeral !== undefined && ephemeralClaimName(pod.name, volume) === claimName,
  )
}

function nodeCheck(pod: PodInfo, cluster: ClusterView): NodeCheck | undefined {
  const claims = pod.claims.flatMap((claimName) => cluster.claim(pod.namespace, claimName) ?? [])
  const bound = claims.filter(isBindCompleted)
  const unbound = claims.filter((claim) => !isBindCompleted(claim))
  const volumes = bound.map((claim) => cluster.volume(claim.spec?.volumeName ?? ''))
  if (volumes.some((volume) => volume === undefined)) return () => volumeGone
  const tied = volumes.filter((volume) => volume?.spec?.nodeAffinity?.required !== undefined)
  if (tied.length === 0 && unbound.length === 0) return undefined
  return (node) => {
    if (tied.some((volume) => volume !== undefined && !fitsNode(volume, node))) return wrongNode
    if (unbound.length > 0 && claimsForNode(unbound, node, cluster) === undefined) return noVolume
    return undefined
  }
}
