import {
  keyOf,
  kinds,
  parseKey,
  type Persisted,
  type PersistentVolume,
  type PersistentVolumeClaim,
  referenceTo,
  type SharedInformer,
  timestamp,
} from '../../kube/index.ts'
import type { ControllerContext } from './controller.ts'
import { laterOf } from './later.ts'

export type Claim = Persisted<PersistentVolumeClaim>
export type Volume = Persisted<PersistentVolume>

const claimKind = { kind: 'PersistentVolumeClaim', apiVersion: 'v1' }

/** Claims and volumes as they are known, what was just written included, and the writes themselves. */
export class VolumeRecords {
  readonly #context: ControllerContext
  readonly #claims: SharedInformer<PersistentVolumeClaim>
  readonly #volumes: SharedInformer<PersistentVolume>
  readonly #latestClaims = new Map<string, Claim>()
  readonly #latestVolumes = new Map<string, Volume>()

  constructor(
    context: ControllerContext,
    claims: SharedInformer<PersistentVolumeClaim>,
    volumes: SharedInformer<PersistentVolume>,
  ) {
    this.#context = context
    this.#claims = claims
    this.#volumes = volumes
    claims.subscribe((change) => {
      if (change.type === 'DELETED') this.#latestClaims.delete(keyOf(change.object))
    })
    volumes.subscribe((change) => {
      if (change.type === 'DELETED') this.#latestVolumes.delete(change.object.metadata.name)
    })
  }

  claim(key: string): Claim | undefined {
    return laterOf(this.#claims.get(parseKey(key)), this.#latestClaims.get(key))
  }

  volume(name: string): Volume | undefined {
    return laterOf(this.#volumes.get({ name }), this.#latestVolumes.get(name))
  }

  *allVolumes(): Iterable<Volume> {
    for (const { metadata } of this.#volumes.objects.values()) {
      const volume = this.volume(metadata.name)
      if (volume !== undefined) yield volume
    }
  }

  /** Names of the volumes that are bound to this very claim, as they see it. */
  *promisedTo(claim: Claim): Iterable<string> {
    for (const { metadata, spec } of this.allVolumes())
      if (spec?.claimRef?.uid === claim.metadata.uid) yield metadata.name
  }

  async writeClaim(claim: Claim): Promise<Claim> {
    const { client, signal } = this.#context
    const next = await client.replace(kinds.persistentVolumeClaims, parseKey(keyOf(claim)), claim, { signal })
    this.#latestClaims.set(keyOf(next), next)
    return next
  }

  async setClaimStatus(claim: Claim, phase: 'Pending' | 'Bound' | 'Lost', volume?: Volume): Promise<void> {
    const { accessModes: oldModes, capacity: oldCapacity, ...rest } = claim.status ?? {}
    const accessModes = volume?.spec?.accessModes
    // A claim that was resized on its way keeps the size its file system has.
    const capacity =
      volume === undefined
        ? undefined
        : claim.status?.phase === 'Bound' && oldCapacity
          ? oldCapacity
          : volume.spec?.capacity
    const status = { ...rest, phase, ...(accessModes && { accessModes }), ...(capacity && { capacity }) }
    const isSame =
      claim.status?.phase === phase &&
      JSON.stringify(oldModes) === JSON.stringify(accessModes) &&
      JSON.stringify(oldCapacity) === JSON.stringify(capacity)
    if (isSame) return
    const { client, signal } = this.#context
    const next = await client.replace(
      kinds.persistentVolumeClaims,
      parseKey(keyOf(claim)),
      { ...claim, status },
      { subresource: 'status', signal },
    )
    this.#latestClaims.set(keyOf(next), next)
  }

  async setVolumePhase(volume: Volume, phase: string, message?: string): Promise<Volume> {
    if (volume.status?.phase === phase) return volume
    const { client, signal, now } = this.#context
    const { message: _message, reason: _reason, ...rest } = volume.status ?? {}
    const status = {
      ...rest,
      phase,
      ...(message !== undefined && { message }),
      lastPhaseTransitionTime: timestamp(now()),
    }
    const next = await client.replace(
      kinds.persistentVolumes,
      { name: volume.metadata.name },
      { ...volume, status },
      { subresource: 'status', signal },
    )
    this.#latestVolumes.set(next.metadata.name, next)
    return next
  }

  async writeVolume(volume: Volume): Promise<Volume> {
    const { client, signal } = this.#context
    const next = await client.replace(kinds.persistentVolumes, { name: volume.metadata.name }, volume, {
      signal,
    })
    this.#latestVolumes.set(next.metadata.name, next)
    return next
  }

  tell(claim: Claim, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(claim, claimKind), type, reason, message })
  }
}
