import { isDeepStrictEqual } from 'node:util'
import type { Persisted, Pod } from '../../../../kube/index.ts'
import { pause } from '../../clock.ts'
import { containersOf } from '../container/container-kinds.ts'
import { contentReader } from '../content-reader.ts'
import type { PodFacts } from '../container/downward.ts'
import type { AgentContext } from '../pod-context.ts'
import type { PodNotices } from './pod-notices.ts'
import { type IssuedToken, VolumeError } from '../volumes/contents.ts'
import {
  type PreparedVolume,
  type PreparedVolumes,
  prepareVolumes,
  refreshVolumes,
  type VolumeContext,
} from '../volumes/prepare.ts'
import { setGoing } from '../set-going.ts'

const firstRetryMs = 500
const longestRetryMs = 122_000
const nobody = 65534

/** The volumes of one pod, from before its first container until its end. */
export class PodVolumes {
  readonly #context: AgentContext
  readonly #notices: PodNotices
  readonly #facts: () => PodFacts
  readonly #tokens = new Map<string, IssuedToken>()
  #isPrepared = false
  #refreshing = Promise.resolve()
  #prepared: PreparedVolumes = { volumes: new Map(), groups: [], notices: [] }

  constructor(context: AgentContext, notices: PodNotices, facts: () => PodFacts) {
    this.#context = context
    this.#notices = notices
    this.#facts = facts
  }

  get volumes(): ReadonlyMap<string, PreparedVolume> {
    return this.#prepared.volumes
  }

  /** Groups that come with the volumes. */
  get groups(): readonly number[] {
    return this.#prepared.groups
  }

  /** Makes all volumes, trying again and again. False when the signal came first. */
  async prepare(signal: AbortSignal): Promise<boolean> {
    let retryMs = firstRetryMs
    while (!signal.aborted) {
      try {
        this.#prepared = await prepareVolumes(this.#facts().pod, this.#volumeContext())
        for (const notice of this.#prepared.notices) this.#notices.tell(notice)
        this.#isPrepared = true
        return true
      } catch (error) {
        if (!(error instanceof VolumeError)) this.#context.onError(error)
        this.#notices.event('Warning', 'FailedMount', error instanceof Error ? error.message : String(error))
        await pause(this.#context.clock, retryMs, signal)
        retryMs = Math.min(retryMs * 2, longestRetryMs)
      }
    }
    return false
  }

  /** The pod has changed. What its files tell of itself is told at once, all else at the next {@link refresh}. */
  follow(before: Persisted<Pod>): void {
    const { pod } = this.#facts()
    if (!this.#isPrepared || !tellsOfItself(pod)) return
    const [then, now] = [before.metadata, pod.metadata]
    const isSame =
      isDeepStrictEqual(then.labels, now.labels) && isDeepStrictEqual(then.annotations, now.annotations)
    if (!isSame) setGoing(async () => this.refresh(), this.#context.onError)
  }

  /** Brings config maps, secrets and tokens up to date. */
  async refresh(): Promise<void> {
    // One after the other: two of them would write the same files.
    this.#refreshing = this.#refreshing.then(async () => this.#refresh())
    await this.#refreshing
  }

  async #refresh(): Promise<void> {
    try {
      await refreshVolumes(this.#facts().pod, this.#volumeContext())
    } catch (error) {
      // What is mounted stays as it was.
      if (!(error instanceof VolumeError)) this.#context.onError(error)
      else this.#notices.event('Warning', 'FailedMount', error.message)
    }
  }

  #volumeContext(): VolumeContext {
    const { client, clock, dataDirectory, nfsDirectories, isRoot } = this.#context
    const facts = this.#facts()
    const { pod } = facts
    const whole = pod.spec?.securityContext
    const users = new Set(
      containersOf(pod).map(
        ([, manifest]) => manifest.securityContext?.runAsUser ?? whole?.runAsUser ?? nobody,
      ),
    )
    const owner = users.size === 1 ? [...users][0] : undefined
    return {
      facts,
      reader: contentReader(client, pod.metadata.namespace ?? ''),
      client,
      now: () => clock.now(),
      tokens: this.#tokens,
      tokenMode: tokenMode({
        hasGroup: whole?.fsGroup !== undefined,
        hasOwner: owner !== undefined && isRoot,
      }),
      dataDirectory,
      nfsDirectories,
      isRoot,
      owner,
      group: whole?.fsGroup ?? firstGroup(pod) ?? whole?.runAsGroup,
    }
  }
}

function tellsOfItself({ spec }: Persisted<Pod>): boolean {
  return (spec?.volumes ?? []).some(
    ({ downwardAPI, projected }) =>
      downwardAPI !== undefined || projected?.sources?.some((source) => source.downwardAPI !== undefined),
  )
}

/** As closed as the containers that read the token allow. */
function tokenMode({ hasGroup, hasOwner }: { hasGroup: boolean; hasOwner: boolean }): number {
  if (hasGroup) return 0o640
  return hasOwner ? 0o600 : 0o644
}

function firstGroup(pod: Persisted<Pod>): number | undefined {
  return pod.spec?.containers[0]?.securityContext?.runAsGroup
}
