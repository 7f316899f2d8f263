import type { Persisted, Pod } from '../../../kube/index.ts'
import type { ReplicaSets } from './replica-sets.ts'
import { active, byAge, newestSize, noted, proportionalSizes, shrinkOld, sizeOf } from './sizes.ts'
import {
  conditionOf,
  countedStatus,
  hasDeadline,
  isComplete,
  msToDeadline,
  onlyActive,
  replicasIn,
  rolloutStatus,
} from './status.ts'
import type { Generation } from './template.ts'

/** One look at a deployment and its replica sets, and the next step that follows from it. */
export class Rollout {
  readonly #sets: ReplicaSets
  readonly #pods: readonly Persisted<Pod>[]
  readonly #now: () => number

  constructor(sets: ReplicaSets, pods: readonly Persisted<Pod>[], now: () => number) {
    this.#sets = sets
    this.#pods = pods
    this.#now = now
  }

  /** Returns when to look again without anything having changed. */
  async run(): Promise<number | undefined> {
    const { metadata, spec } = this.#sets.owner
    if (metadata.deletionTimestamp !== undefined) return this.#writeCounts()
    await this.#notePause()
    if (spec?.paused === true || (await this.#isScaling())) return this.#holdSizes()
    return spec?.strategy?.type === 'Recreate' ? this.#recreate() : this.#roll()
  }

  async #roll(): Promise<number | undefined> {
    await this.#sets.findOrMakeNewest()
    const newest = this.#sets.newest
    if (newest !== undefined) {
      const wanted = this.#sets.owner.spec?.replicas ?? 1
      const size =
        sizeOf(newest) > wanted ? wanted : newestSize(this.#sets.owner, this.#sets.all, sizeOf(newest))
      if (await this.#sets.resize([{ set: newest, size }])) return this.#writeProgress()
    }
    if (await this.#sets.resize(shrinkOld(this.#sets.owner, newest, active(this.#sets.old))))
      return this.#writeProgress()
    return this.#finish()
  }

  async #recreate(): Promise<number | undefined> {
    await this.#sets.syncNewest()
    if (await this.#sets.resize(active(this.#sets.old).map((set) => ({ set, size: 0 }))))
      return this.#writeProgress()
    if (this.#hasOldPods()) return this.#writeProgress()
    await this.#sets.findOrMakeNewest()
    const newest = this.#sets.newest
    if (newest !== undefined)
      await this.#sets.resize([{ set: newest, size: this.#sets.owner.spec?.replicas ?? 1 }])
    return this.#finish()
  }

  #hasOldPods(): boolean {
    if (this.#sets.old.some((set) => replicasIn(set) > 0)) return true
    const newest = this.#sets.newest?.metadata.uid
    return this.#pods.some(({ metadata, status }) => {
      const isOld = !(metadata.ownerReferences ?? []).some(({ uid }) => uid === newest)
      return isOld && status?.phase !== 'Failed' && status?.phase !== 'Succeeded'
    })
  }

  async #finish(): Promise<number | undefined> {
    if (isComplete(this.#sets.owner, this.#sets.owner.status)) await this.#sets.forgetOldest()
    return this.#writeProgress()
  }

  /** Paused, or given another size: the replica sets keep their proportions, and nothing is rolled on. */
  async #holdSizes(): Promise<number | undefined> {
    await this.#sets.syncNewest()
    const newest = this.#sets.newest
    const replicas = this.#sets.owner.spec?.replicas ?? 1
    const only = onlyActive(newest, this.#sets.old, (sets) => byAge(sets).reverse())
    if (only !== undefined) await this.#sets.resize([{ set: only, size: replicas }])
    else if (newest !== undefined && this.#isSaturated(newest)) {
      await this.#sets.resize(active(this.#sets.old).map((set) => ({ set, size: 0 })))
    } else if (this.#sets.owner.spec?.strategy?.type === 'RollingUpdate') {
      await this.#sets.resize(proportionalSizes(this.#sets.owner, active(this.#sets.all)), true)
    }
    if (this.#sets.owner.spec?.paused === true) await this.#sets.forgetOldest()
    return this.#writeCounts()
  }

  #isSaturated(set: Generation): boolean {
    const { replicas = 1 } = this.#sets.owner.spec ?? {}
    return (
      noted(set, 'desired') === replicas &&
      sizeOf(set) === replicas &&
      (set.status?.availableReplicas ?? 0) === replicas
    )
  }

  async #isScaling(): Promise<boolean> {
    await this.#sets.syncNewest()
    const { replicas = 1 } = this.#sets.owner.spec ?? {}
    return active(this.#sets.all).some((set) => (noted(set, 'desired') ?? replicas) !== replicas)
  }

  async #notePause(): Promise<void> {
    if (!hasDeadline(this.#sets.owner)) return
    const { spec, status } = this.#sets.owner
    const { reason } = conditionOf(status, 'Progressing') ?? {}
    if (reason === 'ProgressDeadlineExceeded') return
    const isPaused = spec?.paused === true
    if (isPaused === (reason === 'DeploymentPaused')) return
    await this.#sets.noteProgress({
      status: 'Unknown',
      reason: isPaused ? 'DeploymentPaused' : 'DeploymentResumed',
      message: `Deployment is ${isPaused ? 'paused' : 'resumed'}`,
    })
  }

  async #writeProgress(): Promise<number | undefined> {
    const now = { ms: this.#now(), text: this.#sets.time }
    const status = rolloutStatus(this.#sets.owner, this.#sets.newest, this.#sets.all, now)
    await this.#sets.writeStatus(status)
    return msToDeadline(this.#sets.owner, status, now.ms)
  }

  async #writeCounts(): Promise<undefined> {
    await this.#sets.writeStatus(
      countedStatus(this.#sets.owner, this.#sets.newest, this.#sets.all, this.#sets.time),
    )
  }
}
