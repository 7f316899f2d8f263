import { isStatus, kinds, type Persisted, type Pod, referenceTo, timestamp } from '../../../kube/index.ts'
import { type ControllerContext, TryAgain, unlessGone } from '../controller.ts'
import { newestAnnotations, revisionAnnotation, revisionOf } from './annotations.ts'
import { newSet } from './new-set.ts'
import {
  active,
  byAge,
  newestSize,
  noted,
  proportionalSizes,
  type Resize,
  shrinkOld,
  sizeNotes,
  sizeOf,
} from './sizes.ts'
import {
  conditionOf,
  countedStatus,
  hasDeadline,
  isComplete,
  msToDeadline,
  onlyActive,
  replicasIn,
  rolloutStatus,
  withCondition,
} from './status.ts'
import { type Generation, isSameTemplate, type Owner, type OwnerStatus, ownKind } from './template.ts'

/** One look at a deployment and its replica sets, and the next step that follows from it. */
export class Rollout {
  readonly #context: ControllerContext
  readonly #pods: readonly Persisted<Pod>[]
  #owner: Owner
  #sets: Generation[]

  constructor(
    context: ControllerContext,
    owner: Owner,
    sets: readonly Generation[],
    pods: readonly Persisted<Pod>[],
  ) {
    this.#context = context
    this.#owner = owner
    this.#sets = [...sets]
    this.#pods = pods
  }

  /** Returns when to look again without anything having changed. */
  async run(): Promise<number | undefined> {
    const { metadata, spec } = this.#owner
    if (metadata.deletionTimestamp !== undefined) return this.#writeCounts()
    await this.#notePause()
    if (spec?.paused === true || (await this.#isScaling())) return this.#holdSizes()
    return spec?.strategy?.type === 'Recreate' ? this.#recreate() : this.#roll()
  }

  get #newest(): Generation | undefined {
    const { template } = this.#owner.spec ?? {}
    return byAge(this.#sets).find((set) => isSameTemplate(set.spec?.template, template))
  }

  get #old(): Generation[] {
    const newest = this.#newest
    return this.#sets.filter((set) => set !== newest)
  }

  async #roll(): Promise<number | undefined> {
    await this.#findOrMakeNewest()
    const newest = this.#newest
    if (newest !== undefined) {
      const wanted = this.#owner.spec?.replicas ?? 1
      const size = sizeOf(newest) > wanted ? wanted : newestSize(this.#owner, this.#sets, sizeOf(newest))
      if (await this.#resize([{ set: newest, size }])) return this.#writeProgress()
    }
    if (await this.#resize(shrinkOld(this.#owner, newest, active(this.#old)))) return this.#writeProgress()
    return this.#finish()
  }

  async #recreate(): Promise<number | undefined> {
    await this.#syncNewest()
    if (await this.#resize(active(this.#old).map((set) => ({ set, size: 0 })))) return this.#writeProgress()
    if (this.#hasOldPods()) return this.#writeProgress()
    await this.#findOrMakeNewest()
    const newest = this.#newest
    if (newest !== undefined) await this.#resize([{ set: newest, size: this.#owner.spec?.replicas ?? 1 }])
    return this.#finish()
  }

  #hasOldPods(): boolean {
    if (this.#old.some((set) => replicasIn(set) > 0)) return true
    const newest = this.#newest?.metadata.uid
    return this.#pods.some(({ metadata, status }) => {
      const isOld = !(metadata.ownerReferences ?? []).some(({ uid }) => uid === newest)
      return isOld && status?.phase !== 'Failed' && status?.phase !== 'Succeeded'
    })
  }

  async #finish(): Promise<number | undefined> {
    if (isComplete(this.#owner, this.#owner.status)) await this.#forgetOldest()
    return this.#writeProgress()
  }

  /** Paused, or given another size: the replica sets keep their proportions, and nothing is rolled on. */
  async #holdSizes(): Promise<number | undefined> {
    await this.#syncNewest()
    const newest = this.#newest
    const replicas = this.#owner.spec?.replicas ?? 1
    const only = onlyActive(newest, this.#old, (sets) => byAge(sets).reverse())
    if (only !== undefined) await this.#resize([{ set: only, size: replicas }])
    else if (newest !== undefined && this.#isSaturated(newest)) {
      await this.#resize(active(this.#old).map((set) => ({ set, size: 0 })))
    } else if (this.#owner.spec?.strategy?.type === 'RollingUpdate') {
      await this.#resize(proportionalSizes(this.#owner, active(this.#sets)), true)
    }
    if (this.#owner.spec?.paused === true) await this.#forgetOldest()
    return this.#writeCounts()
  }

  #isSaturated(set: Generation): boolean {
    const { replicas = 1 } = this.#owner.spec ?? {}
    return (
      noted(set, 'desired') === replicas &&
      sizeOf(set) === replicas &&
      (set.status?.availableReplicas ?? 0) === replicas
    )
  }

  async #isScaling(): Promise<boolean> {
    await this.#syncNewest()
    const { replicas = 1 } = this.#owner.spec ?? {}
    return active(this.#sets).some((set) => (noted(set, 'desired') ?? replicas) !== replicas)
  }

  async #notePause(): Promise<void> {
    if (!hasDeadline(this.#owner)) return
    const { spec, status } = this.#owner
    const { reason } = conditionOf(status, 'Progressing') ?? {}
    if (reason === 'ProgressDeadlineExceeded') return
    const isPaused = spec?.paused === true
    if (isPaused === (reason === 'DeploymentPaused')) return
    await this.#noteProgress({
      status: 'Unknown',
      reason: isPaused ? 'DeploymentPaused' : 'DeploymentResumed',
      message: `Deployment is ${isPaused ? 'paused' : 'resumed'}`,
    })
  }

  async #noteProgress(condition: { status: string; reason: string; message: string }): Promise<void> {
    const wanted = { type: 'Progressing', ...condition }
    await this.#writeStatus(withCondition(this.#owner.status ?? {}, wanted, this.#time))
  }

  /** Tells the newest replica set, if it is there, its revision and what the deployment says of all of them. */
  async #syncNewest(): Promise<Generation | undefined> {
    const newest = this.#newest
    if (newest === undefined) return undefined
    const revision = Math.max(0, ...this.#old.map(revisionOf)) + 1
    const before = newest.metadata.annotations
    const annotations = newestAnnotations(this.#owner, revision, before)
    const minReadySeconds = this.#owner.spec?.minReadySeconds ?? 0
    const isDifferent =
      Object.entries(annotations).some(([name, value]) => before?.[name] !== value) ||
      (newest.spec?.minReadySeconds ?? 0) !== minReadySeconds
    if (isDifferent) {
      const { spec = { selector: {} } } = newest
      return this.#replaceSet({
        ...newest,
        metadata: { ...newest.metadata, annotations },
        spec: { ...spec, minReadySeconds },
      })
    }
    let { status = {} } = this.#owner
    if (hasDeadline(this.#owner) && conditionOf(status, 'Progressing') === undefined) {
      const message = `Found new replica set "${newest.metadata.name}"`
      const wanted = { type: 'Progressing', status: 'True', reason: 'FoundNewReplicaSet', message }
      status = withCondition(status, wanted, this.#time)
    }
    await this.#writeStatus(status, annotations[revisionAnnotation])
    return newest
  }

  async #findOrMakeNewest(): Promise<void> {
    if ((await this.#syncNewest()) !== undefined) return
    const { client, signal } = this.#context
    const { namespace = '' } = this.#owner.metadata
    const set = newSet(this.#owner, this.#sets)
    const { name, annotations } = set.metadata
    try {
      this.#sets.push(await client.create(kinds.replicaSets, set, { namespace, signal }))
    } catch (error) {
      await this.#notMade(name, error)
      return
    }
    const size = set.spec?.replicas ?? 0
    if (size > 0) this.#tell('Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${size}`)
    let { status = {} } = this.#owner
    if (hasDeadline(this.#owner)) {
      const message = `Created new replica set "${name}"`
      const wanted = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message }
      status = withCondition(status, wanted, this.#time)
    }
    await this.#writeStatus(status, annotations[revisionAnnotation])
  }

  /** A replica set of that name may be ours already, made a moment ago; else the next try takes another name. */
  async #notMade(name: string, error: unknown): Promise<void> {
    const { client, signal } = this.#context
    const { namespace = '', uid } = this.#owner.metadata
    if (isStatus(error, 'AlreadyExists')) {
      const there = await client.get(kinds.replicaSets, { namespace, name }, { signal })
      const isOurs = (there.metadata.ownerReferences ?? []).some((ref) => ref.controller && ref.uid === uid)
      if (isOurs && isSameTemplate(there.spec?.template, this.#owner.spec?.template)) {
        this.#sets.push(there)
        return
      }
      const { status = {} } = this.#owner
      await this.#writeStatus({ ...status, collisionCount: (status.collisionCount ?? 0) + 1 })
      throw new TryAgain(error)
    }
    const causes = isStatus(error, 'Forbidden') ? (error.status.details?.causes ?? []) : []
    if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) return
    if (signal.aborted) throw error
    const why = error instanceof Error ? error.message : String(error)
    const reason = 'ReplicaSetCreateError'
    const message = `Failed to create new replica set "${name}": ${why}`
    if (hasDeadline(this.#owner)) await this.#noteProgress({ status: 'False', reason, message })
    this.#tell('Warning', reason, message)
    throw new TryAgain(error)
  }

  /** Returns whether any size has changed. `notes`: what is noted about sizes is brought up to date in any case. */
  async #resize(resizes: readonly Resize[], notes = false): Promise<boolean> {
    let hasChanged = false
    for (const { set, size } of resizes) {
      const before = sizeOf(set)
      const wanted = sizeNotes(this.#owner)
      const hasOtherNotes = Object.entries(wanted).some(
        ([key, value]) => set.metadata.annotations?.[key] !== value,
      )
      if (before === size && !(notes && hasOtherNotes)) continue
      const annotations = { ...set.metadata.annotations, ...wanted }
      const { spec = { selector: {} } } = set
      await this.#replaceSet({
        ...set,
        metadata: { ...set.metadata, annotations },
        spec: { ...spec, replicas: size },
      })
      if (before === size) continue
      hasChanged = true
      const way = before < size ? 'up' : 'down'
      const text = `Scaled ${way} replica set ${set.metadata.name} from ${before} to ${size}`
      this.#tell('Normal', 'ScalingReplicaSet', text)
    }
    return hasChanged
  }

  async #replaceSet(set: Generation): Promise<Generation> {
    const { client, signal } = this.#context
    const { namespace = '', name, uid } = set.metadata
    const next = await client.replace(kinds.replicaSets, { namespace, name }, set, { signal })
    this.#sets = this.#sets.map((each) => (each.metadata.uid === uid ? next : each))
    return next
  }

  /** Old replica sets are kept for going back to, but not more than the history may have. */
  async #forgetOldest(): Promise<void> {
    const { client, signal } = this.#context
    const { revisionHistoryLimit: limit } = this.#owner.spec ?? {}
    if (limit === undefined) return
    const old = this.#old.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const eldest = old.sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, old.length - limit))
    for (const set of eldest) {
      const { namespace = '', name, uid, generation = 0 } = set.metadata
      const isInUse = replicasIn(set) > 0 || sizeOf(set) > 0
      if (isInUse || generation > (set.status?.observedGeneration ?? 0)) continue
      const at = { namespace, name }
      await unlessGone(client.delete(kinds.replicaSets, at, { preconditions: { uid }, signal }))
      this.#sets = this.#sets.filter((each) => each !== set)
    }
  }

  async #writeProgress(): Promise<number | undefined> {
    const now = { ms: this.#context.now(), text: this.#time }
    const status = rolloutStatus(this.#owner, this.#newest, this.#sets, now)
    await this.#writeStatus(status)
    return msToDeadline(this.#owner, status, now.ms)
  }

  async #writeCounts(): Promise<undefined> {
    await this.#writeStatus(countedStatus(this.#owner, this.#newest, this.#sets, this.#time))
  }

  async #writeStatus(status: OwnerStatus, revision?: string): Promise<void> {
    const { client, signal } = this.#context
    const owner = this.#owner
    const { namespace = '', name, annotations } = owner.metadata
    const isRevised = revision !== undefined && annotations?.[revisionAnnotation] !== revision
    if (!isRevised && sortedText(status) === sortedText(owner.status ?? {})) return
    const metadata = isRevised
      ? { ...owner.metadata, annotations: { ...annotations, [revisionAnnotation]: revision } }
      : owner.metadata
    const next = { ...owner, metadata, status }
    this.#owner = await client.replace(kinds.deployments, { namespace, name }, next, {
      subresource: 'status',
      signal,
    })
  }

  get #time(): string {
    return timestamp(this.#context.now())
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(this.#owner, ownKind), type, reason, message })
  }
}

function sortedText(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
