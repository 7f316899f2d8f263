import {
  boundByControllerAnnotation,
  classOfVolume,
  hasAnnotation,
  isStatus,
  keyOf,
  kinds,
  type ObjectReference,
  provisionedByAnnotation,
  referenceTo,
  WorkQueue,
} from '../../kube/index.ts'
import { ClaimBinding } from './claim-binding.ts'
import { type Controller, type ControllerContext, reconcile } from './controller.ts'
import { type Claim, type Volume, VolumeRecords } from './volume-records.ts'

const volumeKind = { kind: 'PersistentVolume', apiVersion: 'v1' }

/**
 * Binds claims to volumes and volumes to claims, and keeps both honest about it
 * (https://kubernetes.io/docs/concepts/storage/persistent-volumes/#lifecycle-of-a-volume-and-claim).
 */
export const volumeBinderController: Controller = {
  name: 'persistent-volume-binder',
  async run(context) {
    const { informers } = context
    const claims = informers.of(kinds.persistentVolumeClaims)
    const volumes = informers.of(kinds.persistentVolumes)
    const classes = informers.of(kinds.storageClasses)
    await Promise.all([claims.synced, volumes.synced, classes.synced])
    const records = new VolumeRecords(context, claims, volumes)
    const binding = new ClaimBinding(records, classes)
    const claimQueue = new WorkQueue()
    const volumeQueue = new WorkQueue()
    const wake = (className: string): void => {
      for (const key of binding.waitingFor(className)) claimQueue.add(key)
    }
    claims.subscribe((change) => {
      const claim = change.object
      if (change.type === 'DELETED') {
        binding.forget(claim)
        if (claim.spec?.volumeName) volumeQueue.add(claim.spec.volumeName)
        // It may have gone between the two writes of a binding, and only the volume knows.
        else for (const name of records.promisedTo(claim)) volumeQueue.add(name)
        return
      }
      if (claim.status?.phase === 'Bound') binding.forget(claim)
      claimQueue.add(keyOf(claim))
    })
    volumes.subscribe((change) => {
      const { metadata, spec, status } = change.object
      if (change.type !== 'DELETED') volumeQueue.add(metadata.name)
      const claim = spec?.claimRef
      if (claim?.namespace && claim.name) claimQueue.add(`${claim.namespace}/${claim.name}`)
      if (change.type !== 'DELETED' && status?.phase === 'Available') wake(classOfVolume(change.object))
    })
    classes.subscribe((change) => {
      wake(change.object.metadata.name)
      // It may have become the default of claims that were made without a class.
      if (change.type !== 'DELETED') wake('')
    })
    const upkeep = new VolumeUpkeep(context, records, (key) => claimQueue.add(key))
    // One at a time: two claims must not be given the same volume.
    await Promise.all([
      reconcile(context, claimQueue, (key) => binding.sync(key), 1),
      reconcile(context, volumeQueue, (name) => upkeep.sync(name), 1),
    ])
  },
}

/** The volumes' side of binding. */
class VolumeUpkeep {
  readonly #context: ControllerContext
  readonly #records: VolumeRecords
  readonly #wakeClaim: (key: string) => void

  constructor(context: ControllerContext, records: VolumeRecords, wakeClaim: (key: string) => void) {
    this.#context = context
    this.#records = records
    this.#wakeClaim = wakeClaim
  }

  async sync(name: string): Promise<void> {
    const volume = this.#records.volume(name)
    if (volume === undefined) return
    const promised = volume.spec?.claimRef
    if (promised === undefined || !promised.uid) {
      await this.#records.setVolumePhase(volume, 'Available')
      return
    }
    const claim = await this.#claimOf(promised)
    if (claim === undefined) return this.#release(volume)
    if (!claim.spec?.volumeName) {
      // The claim's own turn finishes the binding.
      this.#wakeClaim(keyOf(claim))
      return
    }
    if (claim.spec.volumeName === name) {
      await this.#records.setVolumePhase(volume, 'Bound')
      return
    }
    if (
      hasAnnotation(volume, provisionedByAnnotation) &&
      volume.spec?.persistentVolumeReclaimPolicy === 'Delete'
    ) {
      // Made for a claim that found another volume meanwhile.
      return this.#release(volume)
    }
    await this.#unbind(volume)
  }

  /** The claim a volume is promised to, undefined when it is gone or another one has its name. */
  async #claimOf(promised: ObjectReference): Promise<Claim | undefined> {
    const at = { namespace: promised.namespace ?? '', name: promised.name ?? '' }
    const cached = this.#records.claim(`${at.namespace}/${at.name}`)
    if (cached?.metadata.uid === promised.uid) return cached
    try {
      // Data may be deleted for what follows: the cache is not enough to say that a claim is gone.
      const live = await this.#context.client.get(kinds.persistentVolumeClaims, at, {
        signal: this.#context.signal,
      })
      return live.metadata.uid === promised.uid ? live : undefined
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    }
  }

  async #unbind(volume: Volume): Promise<void> {
    if (!hasAnnotation(volume, boundByControllerAnnotation)) {
      const { uid: _uid, resourceVersion: _resourceVersion, ...claimRef } = volume.spec?.claimRef ?? {}
      await this.#records.setVolumePhase(
        await this.#records.writeVolume({ ...volume, spec: { ...volume.spec, claimRef } }),
        'Available',
      )
      return
    }
    const { claimRef: _claimRef, ...spec } = volume.spec ?? {}
    const { [boundByControllerAnnotation]: _by, ...annotations } = volume.metadata.annotations ?? {}
    const next = await this.#records.writeVolume({
      ...volume,
      metadata: { ...volume.metadata, annotations },
      spec,
    })
    await this.#records.setVolumePhase(next, 'Available')
  }

  /** The claim is gone: what becomes of the volume is its own policy's to say. */
  async #release(volume: Volume): Promise<void> {
    let current = volume
    if (volume.status?.phase !== 'Released' && volume.status?.phase !== 'Failed') {
      current = await this.#records.setVolumePhase(volume, 'Released')
    }
    const policy = current.spec?.persistentVolumeReclaimPolicy ?? 'Retain'
    // Whoever provisioned it deletes it.
    if (policy === 'Retain' || hasAnnotation(current, provisionedByAnnotation)) return
    const what = policy === 'Delete' ? 'deleter' : 'recycler'
    const adjective = policy === 'Delete' ? 'deletable' : 'recyclable'
    const message = `error getting ${what} volume plugin for volume "${volume.metadata.name}": no ${adjective} volume plugin matched`
    if (current.status?.phase === 'Failed') return
    await this.#records.setVolumePhase(current, 'Failed', message)
    this.#context.recorder.record({
      about: referenceTo(volume, volumeKind),
      type: 'Warning',
      reason: policy === 'Delete' ? 'VolumeFailedDelete' : 'VolumeFailedRecycle',
      message,
    })
  }
}
