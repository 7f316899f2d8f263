import {
  type ObjectReference,
  type Persisted,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type StorageClass,
  WorkQueue,
  isStatus,
  keyOf,
  kinds,
  parseKey,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, timestamp } from './controller.ts'
import { referenceTo } from './event-recorder.ts'
import type { SharedInformer } from './shared-informers.ts'
import {
  type Claim,
  type Volume,
  bestVolume,
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  classOfClaim,
  hasAnnotation,
  isPromisedTo,
  mismatch,
  provisionedByAnnotation,
  selectedNodeAnnotation,
} from './volume-match.ts'

const provisionerAnnotations = [
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-provisioner',
]
const noProvisioner = 'kubernetes.io/no-provisioner'
const claimKind = { kind: 'PersistentVolumeClaim', apiVersion: 'v1' }
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
    const binder = new Binder(context, claims, volumes, classes)
    await binder.run()
  },
}

class Binder {
  readonly #context: ControllerContext
  readonly #claims: SharedInformer<PersistentVolumeClaim>
  readonly #volumes: SharedInformer<PersistentVolume>
  readonly #classes: SharedInformer<StorageClass>
  readonly #claimQueue = new WorkQueue()
  readonly #volumeQueue = new WorkQueue()
  /** Claims without a volume, by class: what a new volume may serve. */
  readonly #unbound = new Map<string, Set<string>>()
  readonly #latestClaims = new Map<string, Claim>()
  readonly #latestVolumes = new Map<string, Volume>()

  constructor(
    context: ControllerContext,
    claims: SharedInformer<PersistentVolumeClaim>,
    volumes: SharedInformer<PersistentVolume>,
    classes: SharedInformer<StorageClass>,
  ) {
    this.#context = context
    this.#claims = claims
    this.#volumes = volumes
    this.#classes = classes
  }

  async run(): Promise<void> {
    this.#claims.subscribe((change) => {
      const key = keyOf(change.object)
      const waiting = this.#unbound.get(classOfClaim(change.object))
      if (change.type === 'DELETED') {
        waiting?.delete(key)
        this.#latestClaims.delete(key)
        const { volumeName } = change.object.spec ?? {}
        if (volumeName) this.#volumeQueue.add(volumeName)
        return
      }
      if (change.object.status?.phase === 'Bound') waiting?.delete(key)
      this.#claimQueue.add(key)
    })
    this.#volumes.subscribe((change) => {
      const { name } = change.object.metadata
      if (change.type === 'DELETED') this.#latestVolumes.delete(name)
      else this.#volumeQueue.add(name)
      const claim = change.object.spec?.claimRef
      if (claim?.namespace && claim.name) this.#claimQueue.add(`${claim.namespace}/${claim.name}`)
      if (change.type !== 'DELETED' && change.object.status?.phase === 'Available')
        this.#wakeClaims(change.object)
    })
    this.#classes.subscribe((change) => {
      for (const key of this.#unbound.get(change.object.metadata.name) ?? []) this.#claimQueue.add(key)
    })
    // One at a time: two claims must not be given the same volume.
    await Promise.all([
      reconcile(this.#context, this.#claimQueue, (key) => this.#syncClaim(key), 1),
      reconcile(this.#context, this.#volumeQueue, (name) => this.#syncVolume(name), 1),
    ])
  }

  #wakeClaims(volume: Volume): void {
    for (const key of this.#unbound.get(volume.spec?.storageClassName ?? '') ?? []) this.#claimQueue.add(key)
  }

  /** The newest form known: what was just written may not have come back as an event yet. */
  #claim(key: string): Claim | undefined {
    return newer(this.#claims.get(parseKey(key)), this.#latestClaims.get(key))
  }

  #volume(name: string): Volume | undefined {
    return newer(this.#volumes.get({ name }), this.#latestVolumes.get(name))
  }

  *#allVolumes(): Iterable<Volume> {
    for (const { metadata } of this.#volumes.objects.values()) {
      const volume = this.#volume(metadata.name)
      if (volume !== undefined) yield volume
    }
  }

  async #syncClaim(key: string): Promise<void> {
    const claim = this.#claim(key)
    if (claim === undefined) return
    if (hasAnnotation(claim, bindCompletedAnnotation)) await this.#syncBoundClaim(claim)
    else await this.#syncUnboundClaim(claim)
  }

  async #syncUnboundClaim(claim: Claim): Promise<void> {
    const named = claim.spec?.volumeName
    if (named) return this.#syncClaimForVolume(claim, named)
    const className = classOfClaim(claim)
    const waiting = this.#unbound.get(className) ?? new Set()
    this.#unbound.set(className, waiting.add(keyOf(claim)))
    const storageClass = className === '' ? undefined : this.#classes.get({ name: className })
    const waitsForPod =
      storageClass?.volumeBindingMode === 'WaitForFirstConsumer' &&
      !hasAnnotation(claim, selectedNodeAnnotation)
    const volume = bestVolume(claim, this.#allVolumes(), {
      onlyPromised: storageClass?.volumeBindingMode === 'WaitForFirstConsumer',
    })
    if (volume !== undefined) return this.#bind(volume, claim)
    if (waitsForPod) {
      this.#tell(
        claim,
        'Normal',
        'WaitForFirstConsumer',
        'waiting for first consumer to be created before binding',
      )
    } else if (className !== '') {
      claim = await this.#askProvisioner(claim, className, storageClass)
    } else {
      this.#tell(
        claim,
        'Normal',
        'FailedBinding',
        'no persistent volumes available for this claim and no storage class is set',
      )
    }
    await this.#setClaimStatus(claim, 'Pending')
  }

  async #syncClaimForVolume(claim: Claim, name: string): Promise<void> {
    const volume = this.#volume(name)
    if (volume === undefined) return this.#setClaimStatus(claim, 'Pending')
    if (volume.spec?.claimRef === undefined) {
      const why = mismatch(volume, claim)
      if (why !== undefined) {
        this.#tell(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${name}": ${why}`)
        return this.#setClaimStatus(claim, 'Pending')
      }
      return this.#bind(volume, claim)
    }
    if (isPromisedTo(volume, claim)) return this.#bind(volume, claim)
    if (!hasAnnotation(claim, boundByControllerAnnotation)) {
      this.#tell(claim, 'Warning', 'FailedBinding', `volume "${name}" already bound to a different claim.`)
      return this.#setClaimStatus(claim, 'Pending')
    }
    return undefined
  }

  async #syncBoundClaim(claim: Claim): Promise<void> {
    const name = claim.spec?.volumeName
    if (!name) {
      return this.#lose(
        claim,
        'ClaimLost',
        'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
      )
    }
    const volume = this.#volume(name)
    if (volume === undefined) {
      return this.#lose(
        claim,
        'ClaimLost',
        'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
      )
    }
    const promised = volume.spec?.claimRef
    if (promised === undefined || promised.uid === claim.metadata.uid) return this.#bind(volume, claim)
    return this.#lose(
      claim,
      'ClaimMisbound',
      'Two claims are bound to the same volume, this one is bound incorrectly',
    )
  }

  async #lose(claim: Claim, reason: string, message: string): Promise<void> {
    if (claim.status?.phase === 'Lost') return
    await this.#setClaimStatus(claim, 'Lost')
    this.#tell(claim, 'Warning', reason, message)
  }

  /** Four steps, each of which may be the one at which an earlier run was stopped. */
  async #bind(volume: Volume, claim: Claim): Promise<void> {
    const promised = await this.#promiseVolume(volume, claim)
    const bound = await this.#setVolumePhase(promised, 'Bound')
    const named = await this.#nameVolume(claim, bound)
    await this.#setClaimStatus(named, 'Bound', bound)
    this.#unbound.get(classOfClaim(claim))?.delete(keyOf(claim))
  }

  async #promiseVolume(volume: Volume, claim: Claim): Promise<Volume> {
    const isByController = !isPromisedTo(volume, claim)
    const before = volume.spec?.claimRef
    if (!isByController && before?.uid === claim.metadata.uid) return volume
    const { name, namespace, uid, resourceVersion } = claim.metadata
    const claimRef: ObjectReference = {
      kind: 'PersistentVolumeClaim',
      ...(namespace !== undefined && { namespace }),
      name,
      uid,
      apiVersion: 'v1',
      resourceVersion,
    }
    const annotations = isByController
      ? { ...volume.metadata.annotations, [boundByControllerAnnotation]: 'yes' }
      : volume.metadata.annotations
    return this.#writeVolume({
      ...volume,
      metadata: { ...volume.metadata, ...(annotations && { annotations }) },
      spec: { ...volume.spec, claimRef },
    })
  }

  async #nameVolume(claim: Claim, volume: Volume): Promise<Claim> {
    const isNamed = claim.spec?.volumeName === volume.metadata.name
    if (isNamed && hasAnnotation(claim, bindCompletedAnnotation)) return claim
    const annotations = {
      ...claim.metadata.annotations,
      ...(!isNamed && { [boundByControllerAnnotation]: 'yes' }),
      [bindCompletedAnnotation]: 'yes',
    }
    const { client, signal } = this.#context
    const next = await client.replace(
      kinds.persistentVolumeClaims,
      parseKey(keyOf(claim)),
      {
        ...claim,
        metadata: { ...claim.metadata, annotations },
        spec: { ...claim.spec, volumeName: volume.metadata.name },
      },
      { signal },
    )
    this.#latestClaims.set(keyOf(next), next)
    return next
  }

  async #setClaimStatus(claim: Claim, phase: 'Pending' | 'Bound' | 'Lost', volume?: Volume): Promise<void> {
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

  async #askProvisioner(
    claim: Claim,
    className: string,
    storageClass: Persisted<StorageClass> | undefined,
  ): Promise<Claim> {
    if (storageClass === undefined) {
      this.#tell(
        claim,
        'Warning',
        'ProvisioningFailed',
        `storageclass.storage.k8s.io "${className}" not found`,
      )
      return claim
    }
    const { provisioner } = storageClass
    if (provisioner === noProvisioner) {
      this.#tell(
        claim,
        'Normal',
        'FailedBinding',
        'no persistent volumes available for this claim and no storage class is set',
      )
      return claim
    }
    let next = claim
    if (!provisionerAnnotations.every((name) => claim.metadata.annotations?.[name] === provisioner)) {
      const annotations = { ...claim.metadata.annotations }
      for (const name of provisionerAnnotations) annotations[name] = provisioner
      const { client, signal } = this.#context
      next = await client.replace(
        kinds.persistentVolumeClaims,
        parseKey(keyOf(claim)),
        { ...claim, metadata: { ...claim.metadata, annotations } },
        { signal },
      )
      this.#latestClaims.set(keyOf(next), next)
    }
    this.#tell(
      next,
      'Normal',
      'ExternalProvisioning',
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    )
    return next
  }

  async #syncVolume(name: string): Promise<void> {
    const volume = this.#volume(name)
    if (volume === undefined) return
    const promised = volume.spec?.claimRef
    if (promised === undefined || !promised.uid) {
      await this.#setVolumePhase(volume, 'Available')
      return
    }
    const claim = await this.#claimOf(promised)
    if (claim === undefined) return this.#release(volume)
    if (!claim.spec?.volumeName) {
      // The claim's own turn finishes the binding.
      this.#claimQueue.add(keyOf(claim))
      return
    }
    if (claim.spec.volumeName === name) {
      await this.#setVolumePhase(volume, 'Bound')
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
    const cached = this.#claim(`${at.namespace}/${at.name}`)
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
      await this.#setVolumePhase(
        await this.#writeVolume({ ...volume, spec: { ...volume.spec, claimRef } }),
        'Available',
      )
      return
    }
    const { claimRef: _claimRef, ...spec } = volume.spec ?? {}
    const { [boundByControllerAnnotation]: _by, ...annotations } = volume.metadata.annotations ?? {}
    const next = await this.#writeVolume({ ...volume, metadata: { ...volume.metadata, annotations }, spec })
    await this.#setVolumePhase(next, 'Available')
  }

  /** The claim is gone: what becomes of the volume is its own policy's to say. */
  async #release(volume: Volume): Promise<void> {
    let current = volume
    if (volume.status?.phase !== 'Released' && volume.status?.phase !== 'Failed') {
      current = await this.#setVolumePhase(volume, 'Released')
    }
    const policy = current.spec?.persistentVolumeReclaimPolicy ?? 'Retain'
    // Whoever provisioned it deletes it.
    if (policy === 'Retain' || hasAnnotation(current, provisionedByAnnotation)) return
    const what = policy === 'Delete' ? 'deleter' : 'recycler'
    const adjective = policy === 'Delete' ? 'deletable' : 'recyclable'
    const message = `error getting ${what} volume plugin for volume "${volume.metadata.name}": no ${adjective} volume plugin matched`
    if (current.status?.phase === 'Failed') return
    await this.#setVolumePhase(current, 'Failed', message)
    this.#context.recorder.record({
      about: referenceTo(volume, volumeKind),
      type: 'Warning',
      reason: policy === 'Delete' ? 'VolumeFailedDelete' : 'VolumeFailedRecycle',
      message,
    })
  }

  async #setVolumePhase(volume: Volume, phase: string, message?: string): Promise<Volume> {
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
    if (phase === 'Available') this.#wakeClaims(next)
    return next
  }

  async #writeVolume(volume: Volume): Promise<Volume> {
    const { client, signal } = this.#context
    const next = await client.replace(kinds.persistentVolumes, { name: volume.metadata.name }, volume, {
      signal,
    })
    this.#latestVolumes.set(next.metadata.name, next)
    return next
  }

  #tell(claim: Claim, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(claim, claimKind), type, reason, message })
  }
}

function newer<T extends Claim | Volume>(cached: T | undefined, written: T | undefined): T | undefined {
  // Gone from the cache is gone: it was there before it could be written.
  if (cached === undefined || written === undefined) return cached
  if (cached.metadata.uid !== written.metadata.uid) return cached
  return Number(written.metadata.resourceVersion) > Number(cached.metadata.resourceVersion) ? written : cached
}
