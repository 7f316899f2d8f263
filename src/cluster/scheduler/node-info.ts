import { type HostPort, type Node, type Persisted, portsCollide, type Taint } from '../../kube/index.ts'
import { type Amounts, type ResourceList, addTo, amountsOf, noAmounts } from './amounts.ts'
import type { Labels } from './label-match.ts'
import type { PodInfo } from './pod-info.ts'

const noLabels: Labels = {}
const noTaints: readonly Taint[] = []

/** A node and what is on it, kept up to date pod by pod. */
export class NodeInfo {
  readonly name: string
  node: Persisted<Node> | undefined
  labels: Labels = noLabels
  taints: readonly Taint[] = noTaints
  isUnschedulable = false
  allocatable: Amounts = noAmounts()
  allowedPods = 0
  readonly requested: Amounts = noAmounts()
  scoredCpu = 0
  scoredMemory = 0
  readonly pods = new Map<string, PodInfo>()
  /** Pods with any affinity or anti-affinity to pods: they are looked at when others are placed. */
  readonly withTerms = new Set<PodInfo>()

  constructor(name: string) {
    this.name = name
  }

  /** Takes over a new form of the node. Returns true when that may make room for a pod. */
  setNode(node: Persisted<Node>): boolean {
    const before = this.node
    this.node = node
    if (before !== undefined && isSamePlace(before, node)) return false
    this.labels = node.metadata.labels ?? noLabels
    this.taints = node.spec?.taints ?? noTaints
    this.isUnschedulable = node.spec?.unschedulable === true
    const allocatable: ResourceList = node.status?.allocatable ?? node.status?.capacity ?? {}
    const { pods, ...rest } = allocatable
    this.allocatable = amountsOf(rest)
    this.allowedPods = pods === undefined ? 0 : Number(pods)
    return true
  }

  add(pod: PodInfo): void {
    this.pods.set(pod.uid, pod)
    addTo(this.requested, pod.requests)
    this.scoredCpu += pod.scoredCpu
    this.scoredMemory += pod.scoredMemory
    if (hasTerms(pod)) this.withTerms.add(pod)
  }

  remove(uid: string): PodInfo | undefined {
    const pod = this.pods.get(uid)
    if (pod === undefined) return undefined
    this.pods.delete(uid)
    addTo(this.requested, pod.requests, -1)
    this.scoredCpu -= pod.scoredCpu
    this.scoredMemory -= pod.scoredMemory
    this.withTerms.delete(pod)
    return pod
  }

  /** A copy on which changes can be tried. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.name)
    copy.node = this.node
    copy.labels = this.labels
    copy.taints = this.taints
    copy.isUnschedulable = this.isUnschedulable
    copy.allocatable = this.allocatable
    copy.allowedPods = this.allowedPods
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  /** Does a pod here hold a host port that collides with one of these? */
  hasPortOf(ports: readonly HostPort[]): boolean {
    for (const pod of this.pods.values()) {
      if (pod.ports.length === 0) continue
      for (const held of pod.ports) if (ports.some((port) => portsCollide(held, port))) return true
    }
    return false
  }
}

function hasTerms(pod: PodInfo): boolean {
  return (
    pod.affinity.length > 0 ||
    pod.antiAffinity.length > 0 ||
    pod.preferredAffinity.length > 0 ||
    pod.preferredAntiAffinity.length > 0
  )
}

/** Heartbeats change nodes all the time; only these fields matter to placement. */
function isSamePlace(a: Persisted<Node>, b: Persisted<Node>): boolean {
  return (
    isSame(a.metadata.labels, b.metadata.labels) &&
    isSame(a.spec, b.spec) &&
    isSame(a.status?.allocatable, b.status?.allocatable) &&
    isSame(a.status?.capacity, b.status?.capacity)
  )
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
