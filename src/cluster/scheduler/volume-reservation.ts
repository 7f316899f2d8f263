import {
  boundByControllerAnnotation,
  kinds,
  type KubeClient,
  type Persisted,
  type PersistentVolumeClaim,
  selectedNodeAnnotation,
  type SharedInformer,
} from '../../kube/index.ts'
import type { ClusterState } from './cluster-state.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import { type ClaimPlan, claimsForNode, isBindCompleted } from './volumes.ts'

type Claim = Persisted<PersistentVolumeClaim>

/** As long as Kubernetes waits for volumes before it gives the pod back to the queue. */
const patienceMs = 600_000

/** Sets volumes aside for a pod that has a node, asks for their binding, and waits until they are bound. */
export class VolumeBinder {
  readonly #client: KubeClient
  readonly #state: ClusterState
  readonly #claims: SharedInformer<PersistentVolumeClaim>
  readonly #signal: AbortSignal
  readonly #reserved = new Map<string, string[]>()
  readonly #waiters = new Map<string, () => void>()

  constructor(options: {
    readonly client: KubeClient
    readonly state: ClusterState
    readonly claims: SharedInformer<PersistentVolumeClaim>
    readonly signal: AbortSignal
  }) {
    this.#client = options.client
    this.#state = options.state
    this.#claims = options.claims
    this.#signal = options.signal
  }

  /** What has to be done about the pod's unbound claims; undefined when there are none. */
  reserve(pod: PodInfo, node: NodeInfo): readonly ClaimPlan[] | undefined {
    if (pod.claims.length === 0) return undefined
    const unbound = pod.claims
      .flatMap((name) => this.#state.claim(pod.namespace, name) ?? [])
      .filter((claim) => !isBindCompleted(claim))
    if (unbound.length === 0) return undefined
    const plans = claimsForNode(unbound, node, this.#state) ?? []
    const names: string[] = []
    for (const { claim, volume } of plans) {
      if (volume === undefined) continue
      names.push(volume.metadata.name)
      this.#state.reservedVolumes.set(volume.metadata.name, keyOfClaim(claim))
    }
    this.#reserved.set(pod.uid, names)
    return plans
  }

  release(pod: PodInfo): void {
    for (const name of this.#reserved.get(pod.uid) ?? []) this.#state.reservedVolumes.delete(name)
    this.#reserved.delete(pod.uid)
  }

  async bind(pod: PodInfo, node: NodeInfo, plans: readonly ClaimPlan[]): Promise<void> {
    for (const { claim, volume } of plans) {
      if (volume === undefined) {
        await this.#client.patch(
          kinds.persistentVolumeClaims,
          { namespace: pod.namespace, name: claim.metadata.name },
          { type: 'merge', patch: { metadata: { annotations: { [selectedNodeAnnotation]: node.name } } } },
          { signal: this.#signal },
        )
        continue
      }
      const { uid, name, namespace, resourceVersion } = claim.metadata
      const claimRef = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name,
        uid,
        resourceVersion,
        ...(namespace !== undefined && { namespace }),
      }
      await this.#client.patch(
        kinds.persistentVolumes,
        { name: volume.metadata.name },
        {
          type: 'merge',
          patch: {
            metadata: {
              resourceVersion: volume.metadata.resourceVersion,
              annotations: { [boundByControllerAnnotation]: 'yes' },
            },
            spec: { claimRef },
          },
        },
        { signal: this.#signal },
      )
    }
    await this.#allBound(plans.map(({ claim }) => claim))
  }

  claimChanged(claim: Claim): void {
    this.#waiters.get(keyOfClaim(claim))?.()
  }

  async #allBound(claims: readonly Claim[]): Promise<void> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(patienceMs)])
    for (const { metadata } of claims) {
      const key = `${metadata.namespace ?? ''}/${metadata.name}`
      for (;;) {
        const current = this.#claims.objects.get(key)
        if (current === undefined || current.metadata.uid !== metadata.uid) {
          throw new Error(`claim "${key}" is gone`)
        }
        if (isBindCompleted(current)) break
        await new Promise<void>((resolve, reject) => {
          const stop = (): void => reject(signal.reason)
          signal.addEventListener('abort', stop, { once: true })
          this.#waiters.set(key, () => {
            signal.removeEventListener('abort', stop)
            resolve()
          })
        }).finally(() => this.#waiters.delete(key))
      }
    }
  }
}

function keyOfClaim(claim: Claim): string {
  return `${claim.metadata.namespace ?? ''}/${claim.metadata.name}`
}
