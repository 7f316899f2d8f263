import type { PersistentVolume, PersistentVolumeClaim, Persisted, StorageClass } from '../../kube/index.ts'
import type { Labels } from './label-match.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/** Why a node, or every node, cannot take a pod. */
export interface Refusal {
  /** Name of the filter that refused. */
  readonly filter: string
  /** In Kubernetes' words; each is counted over all nodes. */
  readonly reasons: readonly string[]
  /** True when no pod that went away could change it: preemption is not tried on the node. */
  readonly isHopeless: boolean
}

/** What happened in the cluster, as far as a waiting pod may care. */
export type Change = 'node' | 'pod-gone' | 'pod-placed' | 'volume'

/** What filters and scores may look at. Read only. */
export interface ClusterView {
  readonly nodes: readonly NodeInfo[]
  /** Nodes with a pod that has affinity or anti-affinity terms. */
  readonly nodesWithTerms: Iterable<NodeInfo>
  namespaceLabels(namespace: string): Labels
  claim(namespace: string, name: string): Persisted<PersistentVolumeClaim> | undefined
  volume(name: string): Persisted<PersistentVolume> | undefined
  volumes(): Iterable<Persisted<PersistentVolume>>
  storageClass(name: string): Persisted<StorageClass> | undefined
  /** Uids of pods on nodes that mount the claim. */
  usersOf(namespace: string, claim: string): ReadonlySet<string>
  /** Volumes set aside for pods that are on their way to a node: volume name -> claim key. */
  readonly reservedVolumes: ReadonlyMap<string, string>
}

/** Looks at one node; undefined when the pod may go there. */
export type NodeCheck = (node: NodeInfo) => Refusal | undefined

/**
 * One reason why a pod may not go to a node; one file each, listed in `filters/table.ts`, asked in that order until
 * the first refuses, as Kubernetes' scheduler plugins are.
 */
export interface Filter {
  readonly name: string
  /** Changes after which a pod that this filter refused deserves another try. */
  readonly helpedBy: readonly Change[]
  /**
   * Looks at the pod once. Undefined when the filter has nothing to say about it.
   *
   * @throws {PodRefused} when no node at all can take the pod.
   */
  prepare(pod: PodInfo, cluster: ClusterView): NodeCheck | undefined
}

/** No node can take the pod, whatever the nodes are like. */
export class PodRefused extends Error {
  readonly filter: string
  constructor(filter: string, message: string) {
    super(message)
    this.name = 'PodRefused'
    this.filter = filter
  }
}
