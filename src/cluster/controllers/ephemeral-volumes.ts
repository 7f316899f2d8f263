import {
  type Persisted,
  type PersistentVolumeClaim,
  type Pod,
  type Volume,
  WorkQueue,
  ephemeralClaimName,
  isClaimOfPod,
  keyOf,
  kinds,
  parseKey,
  referenceTo,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, TryAgain, reconcile } from './controller.ts'

/**
 * Makes the claims that generic ephemeral volumes of pods stand for
 * (https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes). A claim belongs to its pod
 * and goes with it.
 */
export const ephemeralVolumeController: Controller = {
  name: 'ephemeral_volume',
  actsAs: 'ephemeral-volume-controller',
  async run(context) {
    const { informers } = context
    const pods = informers.of(kinds.pods)
    const claims = informers.of(kinds.persistentVolumeClaims)
    const queue = new WorkQueue()
    pods.subscribe((change) => {
      if (change.type !== 'DELETED' && wantsClaims(change.object)) queue.add(keyOf(change.object))
    })
    claims.subscribe((change) => {
      if (change.type !== 'DELETED') return
      // Whoever deleted it: a pod that still wants it gets a new one.
      const { name, namespace = '' } = change.object.metadata
      for (const pod of pods.inNamespace(namespace)) {
        const isWanted = ephemeralVolumes(pod).some(
          (volume) => ephemeralClaimName(pod.metadata.name, volume) === name,
        )
        if (isWanted && wantsClaims(pod)) queue.add(keyOf(pod))
      }
    })
    await Promise.all([pods.synced, claims.synced])
    await reconcile(context, queue, async (key) => {
      const pod = pods.get(parseKey(key))
      if (pod === undefined || !wantsClaims(pod)) return
      for (const volume of ephemeralVolumes(pod)) {
        const at = {
          namespace: pod.metadata.namespace ?? '',
          name: ephemeralClaimName(pod.metadata.name, volume),
        }
        await ensureClaim(context, pod, volume, claims.get(at))
      }
    })
  },
}

async function ensureClaim(
  context: ControllerContext,
  pod: Persisted<Pod>,
  volume: Volume,
  existing: Persisted<PersistentVolumeClaim> | undefined,
): Promise<void> {
  const { client, recorder, signal } = context
  const { name, namespace = '' } = pod.metadata
  try {
    if (existing === undefined) {
      await client.create(kinds.persistentVolumeClaims, claimOf(pod, volume), { namespace, signal })
    } else if (!isClaimOfPod(existing, pod)) {
      const claim = `${namespace}/${existing.metadata.name}`
      throw new Error(`PVC ${claim} was not created for pod ${namespace}/${name} (pod is not owner)`)
    }
  } catch (error) {
    if (signal.aborted) throw error
    const why = error instanceof Error ? error.message : String(error)
    const message =
      existing === undefined ? `create PVC ${ephemeralClaimName(pod.metadata.name, volume)}: ${why}` : why
    recorder.record({
      about: referenceTo(pod, { apiVersion: 'v1', kind: 'Pod' }),
      type: 'Warning',
      reason: 'FailedBinding',
      message: `ephemeral volume ${volume.name}: ${message}`,
    })
    throw new TryAgain(error)
  }
}

function claimOf(pod: Persisted<Pod>, volume: Volume): PersistentVolumeClaim {
  const template = volume.ephemeral?.volumeClaimTemplate
  const { annotations, labels } = template?.metadata ?? {}
  const { name, uid } = pod.metadata
  return {
    metadata: {
      name: ephemeralClaimName(pod.metadata.name, volume),
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true },
      ],
      ...(annotations && { annotations }),
      ...(labels && { labels }),
    },
    ...(template && { spec: template.spec }),
  }
}

function wantsClaims(pod: Persisted<Pod>): boolean {
  return pod.metadata.deletionTimestamp === undefined && ephemeralVolumes(pod).length > 0
}

function ephemeralVolumes(pod: Persisted<Pod>): Volume[] {
  return (pod.spec?.volumes ?? []).filter((volume) => volume.ephemeral !== undefined)
}
