import type {
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Persisted,
  Pod,
  StorageClass,
} from '../../kube/index.ts'
import type { ClusterView } from './filter.ts'
import type { Labels } from './label-match.ts'
import { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

const noLabels: Labels = {}
const noUsers: ReadonlySet<string> = new Set()

/** Where objects that are not nodes or pods are read from. */
export interface Lookups {
  namespace(name: string): Persisted<Namespace> | undefined
  claim(namespace: string, name: string): Persisted<PersistentVolumeClaim> | undefined
  volume(name: string): Persisted<PersistentVolume> | undefined
  volumes(): Iterable<Persisted<PersistentVolume>>
  storageClass(name: string): Persisted<StorageClass> | undefined
}

/** Has the pod ended, so that it takes nothing from its node any more? */
export function hasEnded(pod: Persisted<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/**
 * Nodes with the pods that are on them or on their way to them, brought up to date event by event. A pod that was
 * given a node is assumed to be there until the API says so or binding fails.
 */
export class ClusterState implements ClusterView {
  readonly #lookups: Lookups
  readonly #byName = new Map<string, NodeInfo>()
  /** Nodes that exist, in the order in which they came. */
  #nodes: NodeInfo[] = []
  readonly nodesWithTerms = new Set<NodeInfo>()
  readonly #placed = new Map<string, NodeInfo>()
  readonly #users = new Map<string, Set<string>>()
  readonly reservedVolumes = new Map<string, string>()

  constructor(lookups: Lookups) {
    this.#lookups = lookups
  }

  get nodes(): readonly NodeInfo[] {
    return this.#nodes
  }

  node(name: string): NodeInfo | undefined {
    return this.#byName.get(name)
  }

  namespaceLabels = (namespace: string): Labels =>
    this.#lookups.namespace(namespace)?.metadata.labels ?? noLabels

  claim(namespace: string, name: string): Persisted<PersistentVolumeClaim> | undefined {
    return this.#lookups.claim(namespace, name)
  }

  volume(name: string): Persisted<PersistentVolume> | undefined {
    return this.#lookups.volume(name)
  }

  volumes(): Iterable<Persisted<PersistentVolume>> {
    return this.#lookups.volumes()
  }

  storageClass(name: string): Persisted<StorageClass> | undefined {
    return this.#lookups.storageClass(name)
  }

  usersOf(namespace: string, claim: string): ReadonlySet<string> {
    return this.#users.get(`${namespace}/${claim}`) ?? noUsers
  }

  /** True when the change may make room for a pod. */
  setNode(node: Persisted<Node>): boolean {
    const info = this.#infoOf(node.metadata.name)
    const isNew = info.node === undefined
    const mayHelp = info.setNode(node)
    if (isNew) this.#nodes.push(info)
    return isNew || mayHelp
  }

  removeNode(name: string): void {
    const info = this.#byName.get(name)
    if (info === undefined) return
    this.#nodes = this.#nodes.filter((other) => other !== info)
    info.node = undefined
    if (info.pods.size === 0) this.#byName.delete(name)
  }

  /** Puts a pod on a node, as the API says or as was just decided; replaces an earlier form of the same pod. */
  put(pod: PodInfo, nodeName: string): void {
    const before = this.#placed.get(pod.uid)
    if (before !== undefined) this.#take(pod.uid, before)
    const info = this.#infoOf(nodeName)
    info.add(pod)
    if (info.withTerms.size > 0) this.nodesWithTerms.add(info)
    this.#placed.set(pod.uid, info)
    for (const claim of pod.claims) {
      const key = `${pod.namespace}/${claim}`
      const users = this.#users.get(key) ?? new Set()
      this.#users.set(key, users.add(pod.uid))
    }
  }

  /** Takes a pod off its node. Returns the node it was on. */
  remove(uid: string): NodeInfo | undefined {
    const info = this.#placed.get(uid)
    if (info !== undefined) this.#take(uid, info)
    return info
  }

  placeOf(uid: string): NodeInfo | undefined {
    return this.#placed.get(uid)
  }

  /** The same cluster with one node in another form, to try what preemption would bring. */
  with(changed: NodeInfo): ClusterView {
    const nodes = this.#nodes.map((node) => (node.name === changed.name ? changed : node))
    const nodesWithTerms = [...this.nodesWithTerms].map((node) =>
      node.name === changed.name ? changed : node,
    )
    const users = (namespace: string, claim: string): ReadonlySet<string> => {
      const before = this.usersOf(namespace, claim)
      const on = [...before].filter(
        (uid) => this.#placed.get(uid)?.name !== changed.name || changed.pods.has(uid),
      )
      return new Set(on)
    }
    return {
      nodes,
      nodesWithTerms,
      namespaceLabels: this.namespaceLabels,
      claim: (namespace, name) => this.claim(namespace, name),
      volume: (name) => this.volume(name),
      volumes: () => this.volumes(),
      storageClass: (name) => this.storageClass(name),
      usersOf: users,
      reservedVolumes: this.reservedVolumes,
    }
  }

  #infoOf(name: string): NodeInfo {
    let info = this.#byName.get(name)
    if (info === undefined) {
      info = new NodeInfo(name)
      this.#byName.set(name, info)
    }
    return info
  }

  #take(uid: string, info: NodeInfo): void {
    const pod = info.remove(uid)
    this.#placed.delete(uid)
    if (info.withTerms.size === 0) this.nodesWithTerms.delete(info)
    if (info.node === undefined && info.pods.size === 0) this.#byName.delete(info.name)
    for (const claim of pod?.claims ?? []) {
      const key = `${pod?.namespace ?? ''}/${claim}`
      const users = this.#users.get(key)
      users?.delete(uid)
      if (users?.size === 0) this.#users.delete(key)
    }
  }
}
