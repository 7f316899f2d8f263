import {
  kinds,
  type KubeObject,
  type Namespace,
  type Persisted,
  type ResourceType,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'
import type { ServedResource } from './served-resources.ts'

type NamespaceCondition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number]

/** What of a namespace's content could not be deleted, and what still stands. */
export interface Remainder {
  /** `configmaps.` or `tfjobs.kubeflow.org` -> how many. */
  readonly counts: ReadonlyMap<string, number>
  readonly finalizers: ReadonlyMap<string, number>
  readonly failures: readonly string[]
}

const kubernetesFinalizer = 'kubernetes'
/** Content that goes without telling anybody: look again at last. */
const lookAgainMs = 15_000

/** Deletes everything in a namespace that is to go, waits for the last finalizer, and then lets it go. */
export const namespaceController: Controller = {
  name: 'namespace-controller',
  async run(context) {
    const { informers, served } = context
    const namespaces = informers.of(kinds.namespaces)
    const queue = new WorkQueue()
    namespaces.subscribe((change) => {
      if (change.type !== 'DELETED' && change.object.metadata.deletionTimestamp)
        queue.add(change.object.metadata.name)
    })
    await served.synced
    served.follow((_resource, objects) => {
      objects.subscribe((change) => {
        const { namespace } = change.object.metadata
        if (
          change.type === 'DELETED' &&
          namespace !== undefined &&
          isTerminating(namespaces.get({ name: namespace }))
        ) {
          queue.add(namespace)
        }
      })
    })
    await reconcile(context, queue, (name) => empty(context, name), 5)
  },
}

function isTerminating(namespace: Persisted<Namespace> | undefined): boolean {
  return namespace?.metadata.deletionTimestamp !== undefined
}

async function empty(
  context: ControllerContext,
  name: string,
): Promise<{ againAfterMs: number } | undefined> {
  const { client, signal, served, now } = context
  const namespace = await unlessGone(client.get(kinds.namespaces, { name }, { signal }))
  if (namespace === undefined || !isTerminating(namespace)) return undefined
  if (!(namespace.spec?.finalizers ?? []).includes(kubernetesFinalizer)) return undefined
  const failures: string[] = []
  let resources: readonly ServedResource[] = served.list()
  try {
    resources = await served.refresh()
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error))
  }
  const remainder = await deleteContent(context, name, resources)
  const isDone = remainder.counts.size === 0 && remainder.failures.length === 0 && failures.length === 0
  const before = namespace.status?.conditions ?? []
  const conditions = deletionConditions(before, remainder, failures, timestamp(now()))
  if (isDone) {
    await finalize(context, namespace)
    return undefined
  }
  if (conditions !== before) {
    await client.replace(
      kinds.namespaces,
      { name },
      { ...namespace, status: { ...namespace.status, phase: 'Terminating', conditions } },
      { subresource: 'status', signal },
    )
  }
  return { againAfterMs: lookAgainMs }
}

async function finalize(context: ControllerContext, namespace: Persisted<Namespace>): Promise<void> {
  const { client, signal } = context
  const finalizers = (namespace.spec?.finalizers ?? []).filter(
    (finalizer) => finalizer !== kubernetesFinalizer,
  )
  await unlessGone(
    client.replace(
      kinds.namespaces,
      { name: namespace.metadata.name },
      { ...namespace, spec: { ...namespace.spec, finalizers } },
      { subresource: 'finalize', signal },
    ),
  )
}

/** Pods go first: what they use must outlive them. */
async function deleteContent(
  context: ControllerContext,
  namespace: string,
  resources: readonly ServedResource[],
): Promise<Remainder> {
  const counts = new Map<string, number>()
  const finalizers = new Map<string, number>()
  const failures: string[] = []
  const isPods = (resource: ResourceType): boolean => resource.group === '' && resource.plural === 'pods'
  const inside = resources.filter(
    (resource) => resource.namespaced && resource.verbs.includes('list') && resource.verbs.includes('delete'),
  )
  const pods = inside.filter(isPods)
  // The newer events API shows the same objects again.
  const others = inside.filter((resource) => !isPods(resource) && resource.group !== 'events.k8s.io')
  for (const step of [pods, others]) {
    await Promise.all(
      step.map(async (resource) => {
        try {
          await deleteAll(context, resource, namespace, { counts, finalizers })
        } catch (error) {
          if (context.signal.aborted) throw error
          failures.push(error instanceof Error ? error.message : String(error))
        }
      }),
    )
    if (counts.size > 0) break
  }
  return { counts, finalizers, failures }
}

async function deleteAll(
  context: ControllerContext,
  resource: ServedResource,
  namespace: string,
  remainder: { counts: Map<string, number>; finalizers: Map<string, number> },
): Promise<void> {
  const { client, signal } = context
  const first = await listAll(context, resource, namespace)
  if (first.length === 0) return
  if (resource.verbs.includes('deletecollection')) {
    await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background', signal })
  } else {
    for (const { metadata } of first) {
      await unlessGone(
        client.delete(
          resource,
          { namespace, name: metadata.name },
          { propagationPolicy: 'Background', signal },
        ),
      )
    }
  }
  const left = await listAll(context, resource, namespace)
  if (left.length === 0) return
  remainder.counts.set(`${resource.plural}.${resource.group}`, left.length)
  for (const { metadata } of left) {
    for (const finalizer of metadata.finalizers ?? []) {
      remainder.finalizers.set(finalizer, (remainder.finalizers.get(finalizer) ?? 0) + 1)
    }
  }
}

async function listAll(
  context: ControllerContext,
  resource: ServedResource,
  namespace: string,
): Promise<Persisted<KubeObject>[]> {
  const { client, signal } = context
  const items: Persisted<KubeObject>[] = []
  let next: string | undefined
  do {
    const page = await client.list(resource, {
      namespace,
      limit: 500,
      signal,
      ...(next && { continue: next }),
    })
    items.push(...page.items)
    next = page.metadata.continue
  } while (next)
  return items
}

/** The five conditions of a namespace on its way out; the same array when nothing changes. */
function deletionConditions(
  before: readonly NamespaceCondition[],
  remainder: Remainder,
  discoveryFailures: readonly string[],
  time: string,
): NamespaceCondition[] {
  const listed = (
    counts: ReadonlyMap<string, number>,
    words: (name: string, count: number) => string,
  ): string =>
    [...counts]
      .map(([name, count]) => words(name, count))
      .sort()
      .join(', ')
  const hasFailures = remainder.failures.length > 0
  const wanted: Omit<NamespaceCondition, 'lastTransitionTime'>[] = [
    discoveryFailures.length > 0
      ? {
          type: 'NamespaceDeletionDiscoveryFailure',
          status: 'True',
          reason: 'DiscoveryFailed',
          message: `Discovery failed for some groups, ${discoveryFailures.length} failing: ${discoveryFailures.join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionDiscoveryFailure',
          status: 'False',
          reason: 'ResourcesDiscovered',
          message: 'All resources successfully discovered',
        },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    hasFailures
      ? {
          type: 'NamespaceDeletionContentFailure',
          status: 'True',
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${remainder.failures.length} remaining: ${[...remainder.failures].sort().join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionContentFailure',
          status: 'False',
          reason: 'ContentDeleted',
          message: 'All content successfully deleted, may be waiting on finalization',
        },
    remainder.counts.size > 0
      ? {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${listed(remainder.counts, (name, count) => `${name} has ${count} resource instances`)}`,
        }
      : {
          type: 'NamespaceContentRemaining',
          status: 'False',
          reason: 'ContentRemoved',
          message: 'All content successfully removed',
        },
    remainder.finalizers.size > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${listed(remainder.finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ]
  const next = [...before]
  let isChanged = false
  for (const condition of wanted) {
    const at = next.findIndex(({ type }) => type === condition.type)
    const old = next[at]
    if (
      old?.status === condition.status &&
      old.reason === condition.reason &&
      old.message === condition.message
    )
      continue
    isChanged = true
    const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? time) : time
    if (at < 0) next.push({ ...condition, lastTransitionTime })
    else next[at] = { ...condition, lastTransitionTime }
  }
  return isChanged ? next : (before as NamespaceCondition[])
}
