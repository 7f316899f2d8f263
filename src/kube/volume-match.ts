import type { PersistentVolume, PersistentVolumeClaim } from './kinds.ts'
import type { Persisted } from './object.ts'
import { compareQuantities } from './quantity.ts'
import { labelSelectorOf, matchesLabels } from './selector.ts'

type Volume = Persisted<PersistentVolume>
type Claim = Persisted<PersistentVolumeClaim>

/** On a claim: its binding is complete on both sides. */
export const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed'
/** On a claim or volume: its other half was chosen by the controller, not by a person. */
export const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller'
/** On a volume: the provisioner that made it. */
export const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by'
/** On a claim: the node for which a volume is to be found or made. */
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node'
const legacyClassAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** The class a claim asks for; '' asks for a volume without one. */
export function classOfClaim(claim: Claim): string {
  return claim.metadata.annotations?.[legacyClassAnnotation] ?? claim.spec?.storageClassName ?? ''
}

/** The class a volume belongs to; '' for none. */
export function classOfVolume(volume: Volume): string {
  return volume.metadata.annotations?.[legacyClassAnnotation] ?? volume.spec?.storageClassName ?? ''
}

/** Does the volume or claim carry the annotation, whatever its value? */
export function hasAnnotation(object: Volume | Claim, name: string): boolean {
  return object.metadata.annotations?.[name] !== undefined
}

/** Is the volume promised to this very claim, by the controller or by whoever made it? */
export function isPromisedTo(volume: Volume, claim: Claim): boolean {
  const promised = volume.spec?.claimRef
  return (
    promised !== undefined &&
    promised.name === claim.metadata.name &&
    promised.namespace === claim.metadata.namespace &&
    (!promised.uid || promised.uid === claim.metadata.uid)
  )
}

/** Why a volume that a claim names cannot serve it; undefined when it can. */
export function volumeMismatch(volume: Volume, claim: Claim): string | undefined {
  if (isTooSmall(volume, claim)) return 'requested PV is too small'
  if (classOfVolume(volume) !== classOfClaim(claim)) return 'storageClassName does not match'
  if (!isSameMode(volume, claim)) return 'incompatible volumeMode'
  if (!offersAccess(volume, claim)) return 'incompatible accessMode'
  return undefined
}

/**
 * The volume for a claim that names none: the one promised to it, or else the smallest that fits. `reaches` tells
 * whether a volume can be used from the node in question; without a node, claims that wait for their first pod only
 * get what was promised.
 */
export function bestVolume(
  claim: Claim,
  volumes: Iterable<Volume>,
  options: { readonly reaches?: (volume: Volume) => boolean; readonly onlyPromised?: boolean } = {},
): Volume | undefined {
  let best: Volume | undefined
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp !== undefined) continue
    const isPromised = isPromisedTo(volume, claim)
    if (volume.spec?.claimRef !== undefined && !isPromised) continue
    if (isTooSmall(volume, claim) || !isSameMode(volume, claim)) continue
    if (options.reaches?.(volume) === false) {
      if (isPromised) return undefined
      continue
    }
    if (isPromised) return volume
    if (options.onlyPromised || volume.status?.phase !== 'Available') continue
    if (!selects(claim, volume) || classOfVolume(volume) !== classOfClaim(claim)) continue
    if (!offersAccess(volume, claim)) continue
    if (best === undefined || compareQuantities(sizeOf(volume), sizeOf(best)) < 0) best = volume
  }
  return best
}

function sizeOf(volume: Volume): string {
  return volume.spec?.capacity?.['storage'] ?? '0'
}

function isTooSmall(volume: Volume, claim: Claim): boolean {
  return compareQuantities(sizeOf(volume), claim.spec?.resources?.requests?.['storage'] ?? '0') < 0
}

function isSameMode(volume: Volume, claim: Claim): boolean {
  return (volume.spec?.volumeMode ?? 'Filesystem') === (claim.spec?.volumeMode ?? 'Filesystem')
}

function offersAccess(volume: Volume, claim: Claim): boolean {
  const offered = volume.spec?.accessModes ?? []
  return (claim.spec?.accessModes ?? []).every((mode) => offered.includes(mode))
}

function selects(claim: Claim, volume: Volume): boolean {
  const selector = claim.spec?.selector
  return selector === undefined || matchesLabels(labelSelectorOf(selector), volume.metadata.labels)
}
