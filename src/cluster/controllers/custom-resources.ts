import {
  type CustomResourceDefinition,
  kinds,
  type Persisted,
  type ReconcileResult,
  type ResourceType,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'

const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'
/** Objects with finalizers of their own take their time. */
const lookAgainMs = 500

/** Deletes all objects of a custom kind whose definition is to go, and then lets the definition go. */
export const customResourceCleanup: Controller = {
  name: 'custom-resource-cleanup',
  // The one account that may find and delete anything.
  actsAs: 'generic-garbage-collector',
  async run(context) {
    const definitions = context.informers.of(kinds.customResourceDefinitions)
    const queue = new WorkQueue()
    definitions.subscribe((change) => {
      if (change.type !== 'DELETED' && isEnding(change.object)) queue.add(change.object.metadata.name)
    })
    await reconcile(context, queue, (name) => cleanUp(context, name), 2)
  },
}

function isEnding({ metadata }: Persisted<CustomResourceDefinition>): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(cleanupFinalizer)
}

async function cleanUp(context: ControllerContext, name: string): Promise<ReconcileResult> {
  const { client, signal, now } = context
  const crd = await unlessGone(client.get(kinds.customResourceDefinitions, { name }, { signal }))
  if (crd === undefined || !isEnding(crd)) return undefined
  const type = servedType(crd)
  if (type !== undefined && (await deleteAll(context, type)) > 0) return { againAfterMs: lookAgainMs }
  const finalizers = (crd.metadata.finalizers ?? []).filter((one) => one !== cleanupFinalizer)
  const conditions = (crd.status?.conditions ?? []).map((one) =>
    one.type === 'Terminating'
      ? {
          ...one,
          status: 'False',
          reason: 'InstanceDeletionCompleted',
          message: 'removed all instances',
          lastTransitionTime: timestamp(now()),
        }
      : one,
  )
  const { acceptedNames = crd.spec.names, storedVersions = [] } = crd.status ?? {}
  const told = await client.replace(
    kinds.customResourceDefinitions,
    { name },
    { ...crd, status: { acceptedNames, storedVersions, conditions } },
    { subresource: 'status', signal },
  )
  await unlessGone(
    client.replace(
      kinds.customResourceDefinitions,
      { name },
      { ...told, metadata: { ...told.metadata, finalizers } },
      { signal },
    ),
  )
  return undefined
}

/** Undefined for a definition that was never served: it has no objects that anybody could reach. */
function servedType(crd: Persisted<CustomResourceDefinition>): ResourceType | undefined {
  const isEstablished = crd.status?.conditions?.some(
    (one) => one.type === 'Established' && one.status === 'True',
  )
  const served = crd.spec.versions.filter((one) => one.served)
  // The stored form needs nobody to convert it.
  const version = served.find((one) => one.storage) ?? served[0]
  if (!isEstablished || version === undefined) return undefined
  return {
    group: crd.spec.group,
    version: version.name,
    plural: crd.spec.names.plural,
    kind: crd.spec.names.kind,
    namespaced: crd.spec.scope === 'Namespaced',
  }
}

/** How many objects are still there after deleting all. */
async function deleteAll({ client, signal }: ControllerContext, type: ResourceType): Promise<number> {
  const { items } = await client.list(type, { signal })
  for (const { metadata } of items) {
    const { name, namespace } = metadata
    await unlessGone(client.delete(type, { name, ...(namespace !== undefined && { namespace }) }, { signal }))
  }
  return items.length === 0 ? 0 : (await client.list(type, { signal })).items.length
}
