import {
  ephemeralClaimName,
  extended,
  type HostPort,
  nodeTermTest,
  type Persisted,
  type Pod,
  type PodSpec,
  portsOnHost,
  requiredNodes,
  type Toleration,
} from '../../kube/index.ts'
import { type LabelTest, type Labels, labelTest } from './label-match.ts'
import { type PodRequests, podRequests } from './pod-requests.ts'

/** Pods that a (anti-)affinity term speaks of, and the node label whose value tells one place from another. */
export interface PodTerm {
  readonly topologyKey: string
  readonly weight: number
  matches(pod: PodInfo, namespaceLabels: (namespace: string) => Labels): boolean
}

export interface SpreadConstraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly isHard: boolean
  readonly minDomains: number
  readonly ignoresNodeAffinity: boolean
  readonly honorsTaints: boolean
  readonly selects: LabelTest
}

export interface WeightedNodeTerm {
  readonly weight: number
  matches(labels: Labels, nodeName: string): boolean
}

/** A pod with everything the scheduler asks of it, computed once. */
export interface PodInfo extends PodRequests {
  readonly pod: Persisted<Pod>
  readonly spec: PodSpec
  /** `namespace/name` */
  readonly key: string
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  readonly priority: number
  readonly ports: readonly HostPort[]
  readonly tolerations: readonly Toleration[]
  /** Claims of its namespace that it mounts. */
  readonly claims: readonly string[]
  readonly matchesNode: ((labels: Labels, nodeName: string) => boolean) | undefined
  readonly preferredNodes: readonly WeightedNodeTerm[]
  readonly affinity: readonly PodTerm[]
  readonly antiAffinity: readonly PodTerm[]
  readonly preferredAffinity: readonly PodTerm[]
  readonly preferredAntiAffinity: readonly PodTerm[]
  readonly spread: readonly SpreadConstraint[]
  readonly isTerminating: boolean
}

const none: readonly never[] = []
const noLabels: Labels = {}

export function podInfo(pod: Persisted<Pod>): PodInfo {
  const spec: PodSpec = pod.spec ?? { containers: [] }
  const namespace = pod.metadata.namespace ?? ''
  const labels = pod.metadata.labels ?? noLabels
  const podAffinity = spec.affinity?.podAffinity
  const podAntiAffinity = spec.affinity?.podAntiAffinity
  const weighted = (terms: readonly { weight: number; podAffinityTerm: RawTerm }[] | undefined) =>
    terms === undefined || terms.length === 0
      ? none
      : terms.map((term) => podTerm(term.podAffinityTerm, namespace, term.weight))
  const plain = (terms: readonly RawTerm[] | undefined) =>
    terms === undefined || terms.length === 0 ? none : terms.map((term) => podTerm(term, namespace, 1))
  return extended(podRequests(spec), {
    pod,
    spec,
    key: `${namespace}/${pod.metadata.name}`,
    uid: pod.metadata.uid,
    namespace,
    name: pod.metadata.name,
    labels,
    priority: spec.priority ?? 0,
    ports: portsOnHost(spec),
    tolerations: spec.tolerations ?? none,
    claims: claimsOf(pod.metadata.name, spec),
    matchesNode: requiredNodes(spec),
    preferredNodes: (
      spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? none
    ).map((term) => ({ weight: term.weight, matches: nodeTermTest(term.preference) })),
    affinity: plain(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: plain(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    spread: spreadOf(spec, labels),
    isTerminating: pod.metadata.deletionTimestamp !== undefined,
  })
}

function claimsOf(podName: string, spec: PodSpec): readonly string[] {
  let claims: string[] | undefined
  for (const volume of spec.volumes ?? none) {
    const claim =
      volume.persistentVolumeClaim?.claimName ??
      (volume.ephemeral ? ephemeralClaimName(podName, volume) : undefined)
    if (claim !== undefined) (claims ??= []).push(claim)
  }
  return claims ?? none
}

interface RawTerm {
  readonly labelSelector?: Parameters<typeof labelTest>[0]
  readonly namespaces?: readonly string[]
  readonly namespaceSelector?: Parameters<typeof labelTest>[0]
  readonly topologyKey: string
}

function podTerm(term: RawTerm, ownNamespace: string, weight: number): PodTerm {
  const selects = labelTest(term.labelSelector)
  const named = new Set(term.namespaces)
  if (named.size === 0 && !term.namespaceSelector) named.add(ownNamespace)
  const selectsNamespace = term.namespaceSelector ? labelTest(term.namespaceSelector) : undefined
  return {
    topologyKey: term.topologyKey,
    weight,
    matches: (pod, namespaceLabels) =>
      (named.has(pod.namespace) || selectsNamespace?.(namespaceLabels(pod.namespace)) === true) &&
      selects(pod.labels),
  }
}

function spreadOf(spec: PodSpec, labels: Labels): readonly SpreadConstraint[] {
  const constraints = spec.topologySpreadConstraints
  if (constraints === undefined || constraints.length === 0) return none
  return constraints.map((constraint) => {
    const selects = labelTest(constraint.labelSelector)
    const keys = (constraint.matchLabelKeys ?? []).filter((key) => labels[key] !== undefined)
    return {
      topologyKey: constraint.topologyKey,
      maxSkew: constraint.maxSkew,
      isHard: constraint.whenUnsatisfiable === 'DoNotSchedule',
      minDomains: constraint.minDomains ?? 1,
      ignoresNodeAffinity: constraint.nodeAffinityPolicy === 'Ignore',
      honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
      selects: (other) => selects(other) && keys.every((key) => other[key] === labels[key]),
    }
  })
}

/** Labels and deletion are all that other pods' placement can see of a pod that stays where it is. */
export function looksDifferent(before: PodInfo | undefined, pod: Persisted<Pod>): boolean {
  if (before === undefined) return true
  if (before.isTerminating !== (pod.metadata.deletionTimestamp !== undefined)) return true
  // Binding alone counts the generation up by one.
  const isJustBound =
    !before.spec.nodeName && before.pod.metadata.generation === (pod.metadata.generation ?? 1) - 1
  if (before.pod.metadata.generation !== pod.metadata.generation && !isJustBound) return true
  return JSON.stringify(before.labels) !== JSON.stringify(pod.metadata.labels ?? {})
}
