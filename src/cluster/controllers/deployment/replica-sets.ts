import { isStatus, kinds, referenceTo, timestamp } from '../../../kube/index.ts'
import { type ControllerContext, TryAgain, unlessGone } from '../controller.ts'
import { newestAnnotations, revisionAfter, revisionAnnotation, revisionOf } from './annotations.ts'
import { newSet } from './new-set.ts'
import { byAge, type Resize, sizeNotes, sizeOf } from './sizes.ts'
import { conditionOf, hasDeadline, replicasIn, withCondition } from './status.ts'
import { type Generation, isSameTemplate, type Owner, type OwnerStatus, ownKind } from './template.ts'

/** The replica sets of a deployment, and the writing of what becomes of them. */
export class ReplicaSets {
  readonly #context: ControllerContext
  #owner: Owner
  #all: Generation[]

  constructor(context: ControllerContext, owner: Owner, sets: readonly Generation[]) {
    this.#context = context
    this.#owner = owner
    this.#all = [...sets]
  }

  /** As it was last written. */
  get owner(): Owner {
    return this.#owner
  }

  get all(): readonly Generation[] {
    return this.#all
  }

  get newest(): Generation | undefined {
    const { template } = this.#owner.spec ?? {}
    return byAge(this.#all).find((set) => isSameTemplate(set.spec?.template, template))
  }

  get old(): Generation[] {
    const newest = this.newest
    return this.#all.filter((set) => set !== newest)
  }

  /** Tells the newest replica set, if it is there, its revision and what the deployment says of all of them. */
  async syncNewest(): Promise<Generation | undefined> {
    const newest = this.newest
    if (newest === undefined) return undefined
    const revision = revisionAfter(this.old)
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
      status = withCondition(status, wanted, this.time)
    }
    await this.writeStatus(status, annotations[revisionAnnotation])
    return newest
  }

  async findOrMakeNewest(): Promise<void> {
    if ((await this.syncNewest()) !== undefined) return
    const { client, signal } = this.#context
    const { namespace = '' } = this.#owner.metadata
    const set = newSet(this.#owner, this.#all)
    const { name, annotations } = set.metadata
    try {
      this.#all.push(await client.create(kinds.replicaSets, set, { namespace, signal }))
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
      status = withCondition(status, wanted, this.time)
    }
    await this.writeStatus(status, annotations[revisionAnnotation])
  }

  /** A replica set of that name may be ours already, made a moment ago; else the next try takes another name. */
  async #notMade(name: string, error: unknown): Promise<void> {
    const { client, signal } = this.#context
    const { namespace = '', uid } = this.#owner.metadata
    if (isStatus(error, 'AlreadyExists')) {
      const there = await client.get(kinds.replicaSets, { namespace, name }, { signal })
      const isOurs = (there.metadata.ownerReferences ?? []).some((ref) => ref.controller && ref.uid === uid)
      if (isOurs && isSameTemplate(there.spec?.template, this.#owner.spec?.template)) {
        this.#all.push(there)
        return
      }
      const { status = {} } = this.#owner
      await this.writeStatus({ ...status, collisionCount: (status.collisionCount ?? 0) + 1 })
      throw new TryAgain(error)
    }
    const causes = isStatus(error, 'Forbidden') ? (error.status.details?.causes ?? []) : []
    if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) return
    if (signal.aborted) throw error
    const why = error instanceof Error ? error.message : String(error)
    const reason = 'ReplicaSetCreateError'
    const message = `Failed to create new replica set "${name}": ${why}`
    if (hasDeadline(this.#owner)) await this.noteProgress({ status: 'False', reason, message })
    this.#tell('Warning', reason, message)
    throw new TryAgain(error)
  }

  /** Returns whether any size has changed. `notes`: what is noted about sizes is brought up to date in any case. */
  async resize(resizes: readonly Resize[], notes = false): Promise<boolean> {
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
    this.#all = this.#all.map((each) => (each.metadata.uid === uid ? next : each))
    return next
  }

  /** Old replica sets are kept for going back to, but not more than the history may have. */
  async forgetOldest(): Promise<void> {
    const { client, signal } = this.#context
    const { revisionHistoryLimit: limit } = this.#owner.spec ?? {}
    if (limit === undefined) return
    const old = this.old.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const eldest = old
      .sort((a, b) => (revisionOf(a) < revisionOf(b) ? -1 : 1))
      .slice(0, Math.max(0, old.length - limit))
    for (const set of eldest) {
      const { namespace = '', name, uid, generation = 0 } = set.metadata
      const isInUse = replicasIn(set) > 0 || sizeOf(set) > 0
      if (isInUse || generation > (set.status?.observedGeneration ?? 0)) continue
      const at = { namespace, name }
      await unlessGone(client.delete(kinds.replicaSets, at, { preconditions: { uid }, signal }))
      this.#all = this.#all.filter((each) => each !== set)
    }
  }

  async noteProgress(condition: { status: string; reason: string; message: string }): Promise<void> {
    const wanted = { type: 'Progressing', ...condition }
    await this.writeStatus(withCondition(this.#owner.status ?? {}, wanted, this.time))
  }

  async writeStatus(status: OwnerStatus, revision?: string): Promise<void> {
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

  get time(): string {
    return timestamp(this.#context.now())
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(this.#owner, ownKind), type, reason, message })
  }
}

function sortedText(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
