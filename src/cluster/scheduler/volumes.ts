import {
  bestVolume,
  bindCompletedAnnotation,
  classOfClaim,
  hasAnnotation,
  nodeTermsTest,
  type Persisted,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '../../kube/index.ts'
import type { ClusterView } from './filter.ts'
import type { NodeInfo } from './node-info.ts'

type Claim = Persisted<PersistentVolumeClaim>
type Volume = Persisted<PersistentVolume>

/** What has to be done about one claim before a pod can go to a node. */
export type ClaimPlan =
  | { readonly claim: Claim; readonly volume: Volume }
  /** A provisioner makes the volume once it knows the node. */
  | { readonly claim: Claim; readonly volume?: undefined }

export function isBindCompleted(claim: Claim): boolean {
  return Boolean(claim.spec?.volumeName) && hasAnnotation(claim, bindCompletedAnnotation)
}

/** Is the claim to be bound only when a pod that uses it has a node? */
export function waitsForConsumer(claim: Claim, cluster: ClusterView): boolean {
  if (claim.spec?.volumeName) return false
  return cluster.storageClass(classOfClaim(claim))?.volumeBindingMode === 'WaitForFirstConsumer'
}

export function fitsNode(volume: Volume, node: NodeInfo): boolean {
  const required = volume.spec?.nodeAffinity?.required
  return required === undefined || nodeTermsTest(required.nodeSelectorTerms)(node.labels, node.name)
}

/** How each unbound claim would get its volume on a node; undefined when one cannot. */
export function claimsForNode(
  claims: readonly Claim[],
  node: NodeInfo,
  cluster: ClusterView,
): ClaimPlan[] | undefined {
  const plans: ClaimPlan[] = []
  const taken = new Set<string>()
  for (const claim of claims) {
    const key = `${claim.metadata.namespace ?? ''}/${claim.metadata.name}`
    const volume = bestVolume(claim, cluster.volumes(), {
      reaches: (candidate) => {
        const holder = cluster.reservedVolumes.get(candidate.metadata.name)
        return !taken.has(candidate.metadata.name) && (holder ?? key) === key && fitsNode(candidate, node)
      },
    })
    if (volume !== undefined) {
      taken.add(volume.metadata.name)
      plans.push({ claim, volume })
    } else if (canProvision(claim, node, cluster)) {
      plans.push({ claim })
    } else {
      return undefined
    }
  }
  return plans
}

function canProvision(claim: Claim, node: NodeInfo, cluster: ClusterView): boolean {
  const storageClass = cluster.storageClass(classOfClaim(claim))
  if (storageClass === undefined || storageClass.provisioner === 'kubernetes.io/no-provisioner') return false
  const allowed = storageClass.allowedTopologies ?? []
  if (allowed.length === 0) return true
  return allowed.some((term) =>
    (term.matchLabelExpressions ?? []).every(({ key, values }) => {
      const value = node.labels[key]
      return value !== undefined && values.includes(value)
    }),
  )
}
