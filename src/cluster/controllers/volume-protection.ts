import {
  type Persisted,
  type PersistentVolumeClaim,
  type Pod,
  WorkQueue,
  isStatus,
  keyOf,
  kinds,
  parseKey,
} from '../../kube/index.ts'
import { type Controller, reconcile, unlessGone } from './controller.ts'

const volumeFinalizer = 'kubernetes.io/pv-protection'
const claimFinalizer = 'kubernetes.io/pvc-protection'

type Finalizers = string[]

export const withOne = (finalizers: Finalizers | undefined, name: string): Finalizers => [
  ...(finalizers ?? []),
  name,
]
export const without = (finalizers: Finalizers | undefined, name: string): Finalizers =>
  (finalizers ?? []).filter((finalizer) => finalizer !== name)

/** Keeps a volume that is bound from going before its claim. */
export const volumeProtection: Controller = {
  name: 'pv-protection-controller',
  async run(context) {
    const { client, informers, signal } = context
    const volumes = informers.of(kinds.persistentVolumes)
    const queue = new WorkQueue()
    volumes.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(change.object.metadata.name)
    })
    await reconcile(context, queue, async (name) => {
      const volume = volumes.get({ name })
      if (volume === undefined) return
      const isProtected = (volume.metadata.finalizers ?? []).includes(volumeFinalizer)
      const isGoing = volume.metadata.deletionTimestamp !== undefined
      if (isGoing === !isProtected) return
      if (isGoing && volume.status?.phase === 'Bound') return
      const finalizers = isGoing
        ? without(volume.metadata.finalizers, volumeFinalizer)
        : withOne(volume.metadata.finalizers, volumeFinalizer)
      await unlessGone(
        client.replace(
          kinds.persistentVolumes,
          { name },
          { ...volume, metadata: { ...volume.metadata, finalizers } },
          { signal },
        ),
      )
    })
  },
}

/** Keeps a claim from going while a pod on a node uses it. */
export const claimProtection: Controller = {
  name: 'pvc-protection-controller',
  async run(context) {
    const { client, informers, signal } = context
    const claims = informers.of(kinds.persistentVolumeClaims)
    const pods = informers.of(kinds.pods)
    const queue = new WorkQueue()
    claims.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(keyOf(change.object))
    })
    pods.subscribe((change) => {
      const hasLetGo = change.type === 'DELETED' || hasEnded(change.object)
      if (hasLetGo) for (const key of claimsOf(change.object)) queue.add(key)
    })
    await pods.synced

    async function isUsed(claim: Persisted<PersistentVolumeClaim>): Promise<boolean> {
      const { namespace = '' } = claim.metadata
      const key = keyOf(claim)
      const uses = (pod: Persisted<Pod>): boolean =>
        Boolean(pod.spec?.nodeName) && claimsOf(pod).includes(key)
      for (const pod of pods.inNamespace(namespace)) if (uses(pod)) return true
      // A pod may have come to its node since; its data must not be taken from it.
      const live = await client.list(kinds.pods, { namespace, signal })
      return live.items.some(uses)
    }

    await reconcile(context, queue, async (key) => {
      const claim = claims.get(parseKey(key))
      if (claim === undefined) return
      const isProtected = (claim.metadata.finalizers ?? []).includes(claimFinalizer)
      const isGoing = claim.metadata.deletionTimestamp !== undefined
      if (isGoing === !isProtected) return
      if (isGoing && (await isUsed(claim))) return
      const finalizers = isGoing
        ? without(claim.metadata.finalizers, claimFinalizer)
        : withOne(claim.metadata.finalizers, claimFinalizer)
      try {
        await client.replace(
          kinds.persistentVolumeClaims,
          parseKey(key),
          { ...claim, metadata: { ...claim.metadata, finalizers } },
          { signal },
        )
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error
      }
    })
  },
}

function hasEnded(pod: Persisted<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Keys of the claims a pod mounts; those made for its own ephemeral volumes only as long as it runs. */
function claimsOf(pod: Persisted<Pod>): string[] {
  const namespace = pod.metadata.namespace ?? ''
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return `${namespace}/${volume.persistentVolumeClaim.claimName}`
    return volume.ephemeral && !hasEnded(pod) ? `${namespace}/${pod.metadata.name}-${volume.name}` : []
  })
}
