import type { Revisions } from '../revisions/revisions.ts'
import { msToAvailable, type Owner, type OwnerStatus, revisionOf, type SetPod } from './pods.ts'

/** The counts of the status, the revisions, and when they will change by time alone. */
export function statusOf(
  owner: Owner,
  { current, update }: Revisions,
  pods: readonly SetPod[],
  nowMs: number,
): { status: OwnerStatus; againAfterMs: number | undefined } {
  const { metadata, spec, status: before } = owner
  const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)
  const waits = pods.map((pod) => msToAvailable(owner, pod, nowMs))
  const ready = waits.filter((ms) => ms !== undefined)
  const updated = living.filter((pod) => revisionOf(pod) === update.name).length
  const isOver =
    spec?.updateStrategy?.type !== 'OnDelete' &&
    updated === pods.length &&
    ready.length === pods.length &&
    updated === (spec?.replicas ?? 1)
  const currentRevision = isOver ? update.name : current.name
  const currentReplicas = living.filter((pod) => revisionOf(pod) === currentRevision).length
  const status: OwnerStatus = {
    ...(before?.conditions && { conditions: before.conditions }),
    observedGeneration: metadata.generation ?? 0,
    replicas: pods.length,
    ...(ready.length > 0 && { readyReplicas: ready.length }),
    availableReplicas: ready.filter((ms) => ms === 0).length,
    ...(currentReplicas > 0 && { currentReplicas }),
    ...(updated > 0 && { updatedReplicas: updated }),
    currentRevision,
    updateRevision: update.name,
    collisionCount: before?.collisionCount ?? 0,
  }
  const later = ready.filter((ms) => ms > 0)
  return { status, againAfterMs: later.length === 0 ? undefined : Math.min(...later) }
}
