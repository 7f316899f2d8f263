import {
  isStatus,
  keyOf,
  kinds,
  labelSelectorOf,
  matchesLabels,
  parseKey,
  referenceTo,
  timestamp,
  WorkQueue,
} from '../../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from '../controller.ts'
import { hasEnded } from '../job/job-pod.ts'
import { claimPods, controllerOf } from '../replicas/adoption.ts'
import {
  claimsOf,
  msToAvailable,
  ordinalOf,
  type Owner,
  type OwnerStatus,
  ownKind,
  podOf,
  referenceOf,
  revisionOf,
  type SetPod,
} from './pods.ts'
import { forgetRevisions, type Revisions, syncRevisions } from '../revisions/revisions.ts'

const revised = { type: kinds.statefulSets, ownKind, hashLabel: 'controller.kubernetes.io/hash' }

/** Keeps the pods of stateful sets: each with its number, its name and its volumes. */
export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  async run(context) {
    const owners = context.informers.of(kinds.statefulSets)
    const pods = context.informers.of(kinds.pods)
    const revisions = context.informers.of(kinds.controllerRevisions)
    await Promise.all([owners.synced, pods.synced, revisions.synced])
    const queue = new WorkQueue()
    owners.subscribe(({ type, object }) => {
      if (type !== 'DELETED') queue.add(keyOf(object))
    })
    pods.subscribe(({ object }) => {
      const namespace = object.metadata.namespace ?? ''
      const ref = controllerOf(object)
      if (ref?.kind === ownKind.kind) queue.add(`${namespace}/${ref.name}`)
      if (ref !== undefined) return
      for (const owner of owners.inNamespace(namespace)) if (fits(owner, object)) queue.add(keyOf(owner))
    })
    await reconcile(
      context,
      queue,
      async (key) => {
        const owner = owners.get(parseKey(key))
        if (owner === undefined) return undefined
        const namespace = owner.metadata.namespace ?? ''
        const mine = await claimPods(context, revised, owner, pods.inNamespace(namespace), (pod) =>
          fits(owner, pod),
        )
        if (owner.metadata.deletionTimestamp !== undefined) return undefined
        const known = await syncRevisions(context, revised, owner, revisions.inNamespace(namespace))
        return new Round(context, owner, known, mine).run()
      },
      4,
    )
  },
}

function fits(owner: Owner, { metadata }: SetPod): boolean {
  const selector = owner.spec ? labelSelectorOf(owner.spec.selector) : []
  const isNamed = ordinalOf(owner, metadata.name) !== undefined
  return isNamed && selector.length > 0 && matchesLabels(selector, metadata.labels)
}

/** One look at a stateful set, and the steps that may be taken now. */
class Round {
  readonly #context: ControllerContext
  readonly #owner: Owner
  readonly #revisions: Revisions
  readonly #pods: Map<number, SetPod>
  readonly #start: number
  readonly #replicas: number
  readonly #isOrdered: boolean
  #againAfterMs: number | undefined

  constructor(context: ControllerContext, owner: Owner, revisions: Revisions, pods: readonly SetPod[]) {
    const { spec } = owner
    this.#context = context
    this.#owner = owner
    this.#revisions = revisions
    this.#pods = new Map(pods.map((pod) => [ordinalOf(owner, pod.metadata.name) ?? 0, pod]))
    this.#start = spec?.ordinals?.start ?? 0
    this.#replicas = spec?.replicas ?? 1
    this.#isOrdered = spec?.podManagementPolicy !== 'Parallel'
  }

  async run(): Promise<{ againAfterMs: number } | undefined> {
    const all = [...this.#pods.values()]
    try {
      await this.#tendClaims()
      if ((await this.#fill()) && (await this.#shrink())) await this.#update()
    } finally {
      await this.#writeStatus()
    }
    const { current, update } = this.#revisions
    const inUse = new Set([current.name, update.name, ...all.map(revisionOf)])
    const idle = this.#revisions.all.filter(({ metadata }) => !inUse.has(metadata.name))
    const limit = this.#owner.spec?.revisionHistoryLimit ?? 10
    if (limit >= 0) await forgetRevisions(this.#context, idle, idle.length - limit)
    return this.#againAfterMs === undefined ? undefined : { againAfterMs: this.#againAfterMs }
  }

  /** Makes what is missing and replaces what has ended, from the lowest up. Returns whether it may go on. */
  async #fill(): Promise<boolean> {
    for (let ordinal = this.#start; ordinal < this.#start + this.#replicas; ordinal += 1) {
      const pod = this.#pods.get(ordinal)
      if (pod === undefined) {
        await this.#make(ordinal)
        if (this.#isOrdered) return false
      } else if (hasEnded(pod) && pod.metadata.deletionTimestamp === undefined) {
        await this.#delete(pod)
        if (this.#isOrdered) return false
      } else if (this.#isOrdered && !this.#isAvailable(pod)) return false
    }
    return true
  }

  /** Takes away what is too much, from the highest down. */
  async #shrink(): Promise<boolean> {
    const condemned = [...this.#pods]
      .filter(([ordinal]) => ordinal < this.#start || ordinal >= this.#start + this.#replicas)
      .sort(([a], [b]) => b - a)
    for (const [, pod] of condemned) {
      if (pod.metadata.deletionTimestamp === undefined) await this.#delete(pod)
      if (this.#isOrdered) return false
    }
    return true
  }

  /** Replaces one pod of an old revision after the other, from the highest down to the partition. */
  async #update(): Promise<void> {
    const { type, rollingUpdate } = this.#owner.spec?.updateStrategy ?? {}
    if (type === 'OnDelete') return
    const lowest = this.#start + (rollingUpdate?.partition ?? 0)
    for (let ordinal = this.#start + this.#replicas - 1; ordinal >= lowest; ordinal -= 1) {
      const pod = this.#pods.get(ordinal)
      if (pod === undefined) return
      if (pod.metadata.deletionTimestamp === undefined && revisionOf(pod) !== this.#revisions.update.name) {
        await this.#delete(pod)
        return
      }
      if (!this.#isAvailable(pod)) return
    }
  }

  #isAvailable(pod: SetPod): boolean {
    if (pod.metadata.deletionTimestamp !== undefined) return false
    const ms = msToAvailable(this.#owner, pod, this.#context.now())
    if (ms) this.#againAfterMs = Math.min(this.#againAfterMs ?? ms, ms)
    return ms === 0
  }

  async #make(ordinal: number): Promise<void> {
    const { client, signal } = this.#context
    const { current, update } = this.#revisions
    const { namespace = '', name } = this.#owner.metadata
    const { template, name: revision } = this.#isOfCurrent(ordinal) ? current : update
    const pod = podOf(this.#owner, template, revision, ordinal)
    const podName = `${name}-${ordinal}`
    try {
      for (const { claim } of claimsOf(this.#owner, ordinal)) await this.#ensureClaim(claim)
      this.#pods.set(ordinal, await client.create(kinds.pods, pod, { namespace, signal }))
      this.#tell('Normal', 'SuccessfulCreate', `create Pod ${podName} in StatefulSet ${name} successful`)
    } catch (error) {
      if (!signal.aborted && !isStatus(error, 'AlreadyExists')) {
        const why = error instanceof Error ? error.message : String(error)
        const text = `create Pod ${podName} in StatefulSet ${name} failed error: ${why}`
        this.#tell('Warning', 'FailedCreate', text)
      }
      throw error
    }
  }

  /** Below the partition, and as long as a rollout has not reached it, a pod comes back as it was. */
  #isOfCurrent(ordinal: number): boolean {
    const { spec, status } = this.#owner
    const { type, rollingUpdate } = spec?.updateStrategy ?? {}
    if (type === 'OnDelete') return false
    const below = rollingUpdate ? (rollingUpdate.partition ?? 0) : (status?.currentReplicas ?? 0)
    return ordinal < this.#start + below
  }

  async #ensureClaim(claim: ReturnType<typeof claimsOf>[number]['claim']): Promise<void> {
    const { client, signal } = this.#context
    const { namespace = '' } = this.#owner.metadata
    const at = { namespace, name: claim.metadata.name }
    if ((await unlessGone(client.get(kinds.persistentVolumeClaims, at, { signal }))) !== undefined) return
    const isOwned = this.#owner.spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete'
    const metadata = { ...claim.metadata, ...(isOwned && { ownerReferences: [referenceOf(this.#owner)] }) }
    await client.create(kinds.persistentVolumeClaims, { ...claim, metadata }, { namespace, signal })
  }

  /** Says whom the claims go with: the set, the pod that is being scaled away, or nobody. */
  async #tendClaims(): Promise<void> {
    const { client, signal } = this.#context
    const { persistentVolumeClaimRetentionPolicy: policy } = this.#owner.spec ?? {}
    const { namespace = '', uid } = this.#owner.metadata
    for (const [ordinal, pod] of this.#pods) {
      const isCondemned = ordinal < this.#start || ordinal >= this.#start + this.#replicas
      for (const { claim } of claimsOf(this.#owner, ordinal)) {
        const at = { namespace, name: claim.metadata.name }
        const stored = this.#context.informers.of(kinds.persistentVolumeClaims).get(at)
        if (stored === undefined) continue
        const before = stored.metadata.ownerReferences ?? []
        const others = before.filter((ref) => ref.uid !== uid && ref.uid !== pod.metadata.uid)
        const podReference = { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid }
        const wanted =
          isCondemned && policy?.whenScaled === 'Delete'
            ? [podReference]
            : policy?.whenDeleted === 'Delete'
              ? [referenceOf(this.#owner)]
              : []
        const uids = (refs: readonly { uid: string }[]): string =>
          refs
            .map((ref) => ref.uid)
            .sort()
            .join()
        const ownerReferences = [...others, ...wanted]
        if (uids(ownerReferences) === uids(before)) continue
        const next = { ...stored, metadata: { ...stored.metadata, ownerReferences } }
        await unlessGone(client.replace(kinds.persistentVolumeClaims, at, next, { signal }))
      }
    }
  }

  async #delete(pod: SetPod): Promise<void> {
    const { client, signal, now } = this.#context
    const { name, namespace = '', uid } = pod.metadata
    await unlessGone(client.delete(kinds.pods, { namespace, name }, { preconditions: { uid }, signal }))
    const ordinal = ordinalOf(this.#owner, name) ?? 0
    const metadata = { ...pod.metadata, deletionTimestamp: timestamp(now()) }
    this.#pods.set(ordinal, { ...pod, metadata })
    const set = this.#owner.metadata.name
    this.#tell('Normal', 'SuccessfulDelete', `delete Pod ${name} in StatefulSet ${set} successful`)
  }

  async #writeStatus(): Promise<void> {
    const { client, signal } = this.#context
    const { metadata, spec, status: before } = this.#owner
    const { current, update } = this.#revisions
    const pods = [...this.#pods.values()]
    const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)
    const ready = pods.filter((pod) => msToAvailable(this.#owner, pod, this.#context.now()) !== undefined)
    const available = ready.filter((pod) => {
      const ms = msToAvailable(this.#owner, pod, this.#context.now())
      if (ms) this.#againAfterMs = Math.min(this.#againAfterMs ?? ms, ms)
      return ms === 0
    })
    const updated = living.filter((pod) => revisionOf(pod) === update.name).length
    const isOver =
      spec?.updateStrategy?.type !== 'OnDelete' &&
      updated === pods.length &&
      ready.length === pods.length &&
      updated === this.#replicas
    const currentRevision = isOver ? update.name : current.name
    const currentReplicas = living.filter((pod) => revisionOf(pod) === currentRevision).length
    const status: OwnerStatus = {
      ...(before?.conditions && { conditions: before.conditions }),
      observedGeneration: metadata.generation ?? 0,
      replicas: pods.length,
      ...(ready.length > 0 && { readyReplicas: ready.length }),
      availableReplicas: available.length,
      ...(currentReplicas > 0 && { currentReplicas }),
      ...(updated > 0 && { updatedReplicas: updated }),
      currentRevision,
      updateRevision: update.name,
      collisionCount: before?.collisionCount ?? 0,
    }
    if (sortedText(status) === sortedText(before ?? {})) return
    const at = { namespace: metadata.namespace ?? '', name: metadata.name }
    await client.replace(
      kinds.statefulSets,
      at,
      { ...this.#owner, status },
      { subresource: 'status', signal },
    )
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(this.#owner, ownKind), type, reason, message })
  }
}

function sortedText(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
