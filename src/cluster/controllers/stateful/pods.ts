import type { Persisted, PersistentVolumeClaim, Pod, StatefulSet } from '../../../kube/index.ts'

export type Owner = Persisted<StatefulSet>
export type OwnerSpec = NonNullable<StatefulSet['spec']>
export type OwnerStatus = NonNullable<StatefulSet['status']>
export type PodTemplate = OwnerSpec['template']
export type SetPod = Persisted<Pod>

export const ownKind = { apiVersion: 'apps/v1', kind: 'StatefulSet' }
const revisionLabel = 'controller-revision-hash'
const nameLabel = 'statefulset.kubernetes.io/pod-name'
const indexLabel = 'apps.kubernetes.io/pod-index'

export function referenceOf({ metadata: { name, uid } }: Owner) {
  return { ...ownKind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** The number at the end of a pod's name; undefined for one that the set would not have called so. */
export function ordinalOf(owner: Owner, name: string): number | undefined {
  const prefix = `${owner.metadata.name}-`
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined
}

/** Labels that tell a pod of a set from the others. */
export function identityOf(name: string, ordinal: number): Record<string, string> {
  return { [nameLabel]: name, [indexLabel]: String(ordinal) }
}

/** The pod of an ordinal, from the template of one revision. */
export function podOf(owner: Owner, template: PodTemplate, revision: string, ordinal: number): Pod {
  const name = `${owner.metadata.name}-${ordinal}`
  const { metadata = {}, spec = { containers: [] } } = template
  const { serviceName } = owner.spec ?? {}
  const claims = claimsOf(owner, ordinal)
  const replaced = new Set(claims.map(({ volume }) => volume))
  const volumes = [
    ...claims.map(({ volume, claim }) => ({
      name: volume,
      persistentVolumeClaim: { claimName: claim.metadata.name },
    })),
    ...(spec.volumes ?? []).filter((volume) => !replaced.has(volume.name)),
  ]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: owner.metadata.namespace ?? '',
      labels: {
        ...metadata.labels,
        ...identityOf(name, ordinal),
        [revisionLabel]: revision,
      },
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ...(metadata.finalizers && { finalizers: metadata.finalizers }),
      ownerReferences: [referenceOf(owner)],
    },
    spec: {
      ...spec,
      hostname: name,
      ...(serviceName && { subdomain: serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  }
}

export interface NamedClaim {
  /** The volume of the pod that it becomes. */
  readonly volume: string
  readonly claim: PersistentVolumeClaim & { metadata: { name: string } }
}

/** The volume claims of an ordinal's pod; they outlive it. */
export function claimsOf(owner: Owner, ordinal: number): NamedClaim[] {
  const { volumeClaimTemplates = [], selector } = owner.spec ?? {}
  return volumeClaimTemplates.map(({ metadata = {}, spec }) => {
    const volume = metadata.name ?? ''
    const claim = {
      apiVersion: 'v1' as const,
      kind: 'PersistentVolumeClaim' as const,
      metadata: {
        name: `${volume}-${owner.metadata.name}-${ordinal}`,
        namespace: owner.metadata.namespace ?? '',
        labels: { ...metadata.labels, ...selector?.matchLabels },
        ...(metadata.annotations && { annotations: metadata.annotations }),
      },
      ...(spec && { spec }),
    }
    return { volume, claim }
  })
}

export function revisionOf(pod: SetPod): string {
  return pod.metadata.labels?.[revisionLabel] ?? ''
}

/** When it has been ready for long enough: now (0), after so many milliseconds, or not yet known (undefined). */
export function msToAvailable(owner: Owner, pod: SetPod, now: number): number | undefined {
  const ready = (pod.status?.conditions ?? []).find(({ type }) => type === 'Ready')
  if (pod.status?.phase !== 'Running' || ready?.status !== 'True') return undefined
  const minMs = (owner.spec?.minReadySeconds ?? 0) * 1000
  if (minMs === 0) return 0
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? '') + minMs - now)
}
