import {
  bestVolume,
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  classOfClaim,
  defaultStorageClassMarks,
  hasAnnotation,
  isPromisedTo,
  keyOf,
  newestMarked,
  volumeMismatch,
  type ObjectReference,
  type Persisted,
  selectedNodeAnnotation,
  type SharedInformer,
  type StorageClass,
} from '../../kube/index.ts'
import type { Claim, Volume, VolumeRecords } from './volume-records.ts'

const provisionerAnnotations = [
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-provisioner',
]
const noProvisioner = 'kubernetes.io/no-provisioner'

/** The claims' side of binding. */
export class ClaimBinding {
  readonly #records: VolumeRecords
  readonly #classes: SharedInformer<StorageClass>
  /** Claims without a volume, by class: what a new volume may serve. */
  readonly #waiting = new Map<string, Set<string>>()

  constructor(records: VolumeRecords, classes: SharedInformer<StorageClass>) {
    this.#records = records
    this.#classes = classes
  }

  /** Keys of the claims of a class that wait for a volume. */
  waitingFor(className: string): Iterable<string> {
    return this.#waiting.get(className) ?? []
  }

  /** The claim is bound or gone. */
  forget(claim: Claim): void {
    this.#waiting.get(classOfClaim(claim))?.delete(keyOf(claim))
  }

  /** Brings a claim to a volume, or says why it has none. */
  async sync(key: string): Promise<void> {
    const claim = this.#records.claim(key)
    if (claim === undefined) return
    if (hasAnnotation(claim, bindCompletedAnnotation)) await this.#syncBoundClaim(claim)
    else await this.#syncUnboundClaim(claim)
  }

  async #syncUnboundClaim(claim: Claim): Promise<void> {
    const named = claim.spec?.volumeName
    if (named) return this.#syncClaimForVolume(claim, named)
    const className = classOfClaim(claim)
    const waiting = this.#waiting.get(className) ?? new Set()
    this.#waiting.set(className, waiting.add(keyOf(claim)))
    const storageClass = className === '' ? undefined : this.#classes.get({ name: className })
    const waitsForPod =
      storageClass?.volumeBindingMode === 'WaitForFirstConsumer' &&
      !hasAnnotation(claim, selectedNodeAnnotation)
    const volume = bestVolume(claim, this.#records.allVolumes(), {
      onlyPromised: storageClass?.volumeBindingMode === 'WaitForFirstConsumer',
    })
    if (volume !== undefined) return this.#bind(volume, claim)
    if (claim.spec?.storageClassName === undefined && className === '') {
      const given = newestMarked(this.#classes.objects.values(), defaultStorageClassMarks)
      // The change brings the claim here again, as one of that class.
      if (given !== undefined) {
        this.forget(claim)
        await this.#records.writeClaim({ ...claim, spec: { ...claim.spec, storageClassName: given } })
        return
      }
    }
    if (waitsForPod) {
      this.#records.tell(
        claim,
        'Normal',
        'WaitForFirstConsumer',
        'waiting for first consumer to be created before binding',
      )
    } else if (className !== '') {
      claim = await this.#askProvisioner(claim, className, storageClass)
    } else {
      this.#records.tell(
        claim,
        'Normal',
        'FailedBinding',
        'no persistent volumes available for this claim and no storage class is set',
      )
    }
    await this.#records.setClaimStatus(claim, 'Pending')
  }

  async #syncClaimForVolume(claim: Claim, name: string): Promise<void> {
    const volume = this.#records.volume(name)
    if (volume === undefined) return this.#records.setClaimStatus(claim, 'Pending')
    if (volume.spec?.claimRef === undefined) {
      const why = volumeMismatch(volume, claim)
      if (why !== undefined) {
        this.#records.tell(
          claim,
          'Warning',
          'VolumeMismatch',
          `Cannot bind to requested volume "${name}": ${why}`,
        )
        return this.#records.setClaimStatus(claim, 'Pending')
      }
      return this.#bind(volume, claim)
    }
    if (isPromisedTo(volume, claim)) return this.#bind(volume, claim)
    if (!hasAnnotation(claim, boundByControllerAnnotation)) {
      this.#records.tell(
        claim,
        'Warning',
        'FailedBinding',
        `volume "${name}" already bound to a different claim.`,
      )
      return this.#records.setClaimStatus(claim, 'Pending')
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
    const volume = this.#records.volume(name)
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
    await this.#records.setClaimStatus(claim, 'Lost')
    this.#records.tell(claim, 'Warning', reason, message)
  }

  /** Four steps, each of which may be the one at which an earlier run was stopped. */
  async #bind(volume: Volume, claim: Claim): Promise<void> {
    const promised = await this.#promiseVolume(volume, claim)
    const bound = await this.#records.setVolumePhase(promised, 'Bound')
    const named = await this.#nameVolume(claim, bound)
    await this.#records.setClaimStatus(named, 'Bound', bound)
    this.forget(claim)
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
    return this.#records.writeVolume({
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
    return this.#records.writeClaim({
      ...claim,
      metadata: { ...claim.metadata, annotations },
      spec: { ...claim.spec, volumeName: volume.metadata.name },
    })
  }

  async #askProvisioner(
    claim: Claim,
    className: string,
    storageClass: Persisted<StorageClass> | undefined,
  ): Promise<Claim> {
    if (storageClass === undefined) {
      this.#records.tell(
        claim,
        'Warning',
        'ProvisioningFailed',
        `storageclass.storage.k8s.io "${className}" not found`,
      )
      return claim
    }
    const { provisioner } = storageClass
    if (provisioner === noProvisioner) {
      this.#records.tell(
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
      next = await this.#records.writeClaim({ ...claim, metadata: { ...claim.metadata, annotations } })
    }
    this.#records.tell(
      next,
      'Normal',
      'ExternalProvisioning',
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    )
    return next
  }
}
