import type { Filter, Refusal } from '../filter.ts'

const name = 'VolumeRestrictions'
const inUse: Refusal = {
  filter: name,
  reasons: ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'],
  isHopeless: false,
}

/** A claim with access mode ReadWriteOncePod serves one pod at a time. */
export const claimAccess: Filter = {
  name,
  helpedBy: ['pod-gone', 'volume'],
  prepare(pod, cluster) {
    const taken = pod.claims.some((claim) => {
      const modes = cluster.claim(pod.namespace, claim)?.spec?.accessModes ?? []
      return modes.includes('ReadWriteOncePod') && cluster.usersOf(pod.namespace, claim).size > 0
    })
    if (!taken) return undefined
    return (node) => {
      for (const other of node.pods.values()) {
        if (other.namespace === pod.namespace && other.claims.some((claim) => pod.claims.includes(claim))) {
          return inUse
        }
      }
      return { ...inUse, isHopeless: true }
    }
  },
}
