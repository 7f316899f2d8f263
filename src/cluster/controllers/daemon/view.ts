import type { Node, Persisted, Pod } from '../../../kube/index.ts'
import { hasEnded, isReady } from '../job/job-pod.ts'
import {
  type Fit,
  fitTest,
  generationAnnotation,
  generationLabel,
  hashLabel,
  type Owner,
  targetOf,
} from './node-fit.ts'

export type DaemonPod = Persisted<Pod>

/** One look at a daemon set: its nodes, and its pods on each of them. */
export class DaemonView {
  readonly owner: Owner
  readonly hash: string
  /** How a pod fits on each node. */
  readonly fits = new Map<string, Fit>()
  readonly #onNode = new Map<string, DaemonPod[]>()
  readonly #nowMs: number

  constructor(
    owner: Owner,
    hash: string,
    nodes: Iterable<Persisted<Node>>,
    pods: Iterable<DaemonPod>,
    nowMs: number,
  ) {
    this.owner = owner
    this.hash = hash
    this.#nowMs = nowMs
    const fit = fitTest(owner)
    for (const node of nodes) this.fits.set(node.metadata.name, fit(node))
    for (const pod of pods) {
      const target = targetOf(pod)
      if (target === undefined || (hasEnded(pod) && pod.metadata.deletionTimestamp !== undefined)) continue
      const there = this.#onNode.get(target)
      if (there) there.push(pod)
      else this.#onNode.set(target, [pod])
    }
    for (const there of this.#onNode.values()) there.sort((a, b) => this.#compareAge(a, b))
  }

  /** The pods on a node, or meant for it; the eldest first, those not yet on their node last. */
  on(nodeName: string): readonly DaemonPod[] {
    return this.#onNode.get(nodeName) ?? []
  }

  /** Every node with pods, be it still there or not. */
  occupied(): Iterable<[string, readonly DaemonPod[]]> {
    return this.#onNode
  }

  /** So many nodes should run the set's pod. */
  get desired(): number {
    let count = 0
    for (const { shouldRun } of this.fits.values()) if (shouldRun) count += 1
    return count
  }

  isUpdated({ metadata: { labels } }: DaemonPod): boolean {
    const generation = this.owner.metadata.annotations?.[generationAnnotation]
    return (
      (this.hash !== '' && labels?.[hashLabel] === this.hash) ||
      (generation !== undefined && labels?.[generationLabel] === generation)
    )
  }

  isAvailable(pod: DaemonPod): boolean {
    return this.msToAvailable(pod) === 0
  }

  /** When it has been ready for long enough: now (0), after so many milliseconds, or not yet known (undefined). */
  msToAvailable(pod: DaemonPod): number | undefined {
    if (!isReady(pod)) return undefined
    const minMs = (this.owner.spec?.minReadySeconds ?? 0) * 1000
    if (minMs === 0) return 0
    const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
    return Math.max(0, Date.parse(ready?.lastTransitionTime ?? '') + minMs - this.#nowMs)
  }

  #compareAge(a: DaemonPod, b: DaemonPod): number {
    // Times are of whole seconds: of two pods of the same second the one of the old template was there first.
    const rank = (pod: DaemonPod): string =>
      [
        pod.spec?.nodeName ? 0 : 1,
        pod.metadata.creationTimestamp,
        this.isUpdated(pod) ? 1 : 0,
        pod.metadata.name,
      ].join(' ')
    const [left, right] = [rank(a), rank(b)]
    return left < right ? -1 : left > right ? 1 : 0
  }
}
