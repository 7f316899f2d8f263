import {
  kinds,
  type Persisted,
  type PersistentVolume,
  type PersistentVolumeClaim,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, reconcile, unlessGone } from './controller.ts'
import { withOne, without } from './volume-protection.ts'

const finalizer = 'kubernetes.io/vac-protection'

/** Keeps a class of volume attributes from going while a claim or a volume names it. */
export const attributesProtection: Controller = {
  name: 'volumeattributesclass-protection-controller',
  async run(context) {
    const { client, informers, signal } = context
    const classes = informers.of(kinds.volumeAttributesClasses)
    const claims = informers.of(kinds.persistentVolumeClaims)
    const volumes = informers.of(kinds.persistentVolumes)
    const queue = new WorkQueue()
    classes.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(change.object.metadata.name)
    })
    const lookAtGoing = (): void => {
      for (const { metadata } of classes.objects.values())
        if (metadata.deletionTimestamp !== undefined) queue.add(metadata.name)
    }
    claims.subscribe(lookAtGoing)
    volumes.subscribe(lookAtGoing)
    await Promise.all([claims.synced, volumes.synced])

    async function isNamed(name: string): Promise<boolean> {
      for (const claim of claims.objects.values()) if (namesOfClaim(claim).includes(name)) return true
      for (const volume of volumes.objects.values()) if (namesOfVolume(volume).includes(name)) return true
      // Somebody may have named it since.
      const live = await client.list(kinds.persistentVolumeClaims, { signal })
      return live.items.some((claim) => namesOfClaim(claim).includes(name))
    }

    await reconcile(context, queue, async (name) => {
      const found = classes.get({ name })
      if (found === undefined) return
      const isProtected = (found.metadata.finalizers ?? []).includes(finalizer)
      const isGoing = found.metadata.deletionTimestamp !== undefined
      if (isGoing === !isProtected || (isGoing && (await isNamed(name)))) return
      const change = isGoing ? without : withOne
      const metadata = { ...found.metadata, finalizers: change(found.metadata.finalizers, finalizer) }
      const next = { ...found, metadata }
      await unlessGone(client.replace(kinds.volumeAttributesClasses, { name }, next, { signal }))
    })
  },
}

function namesOfClaim({ spec, status }: Persisted<PersistentVolumeClaim>): (string | undefined)[] {
  return [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
}

const namesOfVolume = ({ spec }: Persisted<PersistentVolume>): (string | undefined)[] => [
  spec?.volumeAttributesClassName,
]
