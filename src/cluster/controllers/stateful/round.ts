import { isStatus, kinds, referenceTo, timestamp } from '../../../kube/index.ts'
import { type ControllerContext, unlessGone } from '../controller.ts'
import { hasEnded } from '../job/job-pod.ts'
import { forgetRevisions, type Revisions } from '../revisions/revisions.ts'
import { ensureClaims, tendClaims } from './claims.ts'
import {
  identityOf,
  msToAvailable,
  ordinalOf,
  type Owner,
  ownKind,
  podOf,
  revisionOf,
  type SetPod,
} from './pods.ts'
import { statusOf } from './status.ts'

/** One look at a stateful set, and the steps that may be taken now. */
export class Round {
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
      for (const [ordinal, pod] of this.#pods) {
        await tendClaims(this.#context, this.#owner, { pod, ordinal, isCondemned: !this.#isWanted(ordinal) })
      }
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
      else await this.#identify(ordinal, pod)
    }
    return true
  }

  /**
   * Takes away what is too much, from the highest down. In order, one at a time: while another one is not available none
   * goes but the lowest of those that are not, so that whoever waits for a quorum may see to it first.
   */
  async #shrink(): Promise<boolean> {
    const condemned = [...this.#pods]
      .filter(([ordinal]) => !this.#isWanted(ordinal))
      .sort(([a], [b]) => b - a)
    const lowest = condemned.findLast(([, pod]) => !this.#isAvailable(pod))?.[1]
    for (const [, pod] of condemned) {
      const mayGo = !this.#isOrdered || pod === lowest || this.#isAvailable(pod)
      if (mayGo && pod.metadata.deletionTimestamp === undefined) await this.#delete(pod)
      if (this.#isOrdered) return false
    }
    return true
  }

  /** A pod that somebody else made gets the labels that it would have had. */
  async #identify(ordinal: number, { metadata }: SetPod): Promise<void> {
    const { name, namespace = '', labels, deletionTimestamp } = metadata
    const wanted = identityOf(name, ordinal)
    const isKnown = Object.entries(wanted).every(([key, value]) => labels?.[key] === value)
    if (isKnown || deletionTimestamp !== undefined) return
    const { client, signal } = this.#context
    const patch = { metadata: { labels: wanted } } as never
    await unlessGone(client.patch(kinds.pods, { namespace, name }, { type: 'merge', patch }, { signal }))
  }

  #isWanted(ordinal: number): boolean {
    return ordinal >= this.#start && ordinal < this.#start + this.#replicas
  }

  /**
   * Replaces pods of an old revision from the highest down to the partition, as many at a time as may be missing with all
   * that are missing already.
   */
  async #update(): Promise<void> {
    const { type, rollingUpdate } = this.#owner.spec?.updateStrategy ?? {}
    if (type === 'OnDelete') return
    const lowest = this.#start + (rollingUpdate?.partition ?? 0)
    const end = this.#start + this.#replicas
    let left = mostUnavailable(this.#owner)
    for (let ordinal = this.#start; ordinal < end; ordinal += 1) {
      const pod = this.#pods.get(ordinal)
      if (pod === undefined || !this.#isAvailable(pod)) left -= 1
    }
    for (let ordinal = end - 1; ordinal >= lowest && left > 0; ordinal -= 1) {
      const pod = this.#pods.get(ordinal)
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) continue
      if (revisionOf(pod) === this.#revisions.update.name) continue
      await this.#delete(pod)
      left -= 1
    }
  }

  #isAvailable(pod: SetPod): boolean {
    if (pod.metadata.deletionTimestamp !== undefined) return false
    const ms = msToAvailable(this.#owner, pod, this.#context.now())
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
      await ensureClaims(this.#context, this.#owner, ordinal)
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
    const { client, signal, now } = this.#context
    const { metadata, status: before = {} } = this.#owner
    const { status, againAfterMs } = statusOf(this.#owner, this.#revisions, [...this.#pods.values()], now())
    this.#againAfterMs = againAfterMs
    if (sortedText(status) === sortedText(before)) return
    const at = { namespace: metadata.namespace ?? '', name: metadata.name }
    const next = { ...this.#owner, status }
    await client.replace(kinds.statefulSets, at, next, { subresource: 'status', signal })
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(this.#owner, ownKind), type, reason, message })
  }
}

function mostUnavailable({ spec }: Owner): number {
  const { maxUnavailable = 1 } = spec?.updateStrategy?.rollingUpdate ?? {}
  if (typeof maxUnavailable === 'number') return maxUnavailable
  return Math.max(1, Math.floor((Number.parseInt(maxUnavailable, 10) * (spec?.replicas ?? 1)) / 100))
}

function sortedText(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
