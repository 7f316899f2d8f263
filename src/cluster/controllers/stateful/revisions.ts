import { type ControllerRevision, isStatus, kinds, type Persisted } from '../../../kube/index.ts'
import { type ControllerContext, TryAgain, unlessGone } from '../controller.ts'
import { isSameTemplate, templateHash } from '../deployment/template.ts'
import { type Owner, type PodTemplate, referenceOf } from './pods.ts'

type Revision = Persisted<ControllerRevision>

/** What a set's pods are made from, and what they were made from before. */
export interface Revisions {
  readonly current: { readonly name: string; readonly template: PodTemplate }
  readonly update: { readonly name: string; readonly template: PodTemplate }
  readonly all: readonly Revision[]
}

/** The revisions of a set; the template as it is now becomes the newest of them. */
export async function syncRevisions(
  context: ControllerContext,
  owner: Owner,
  known: Iterable<Revision>,
): Promise<Revisions> {
  const { client, signal } = context
  const { uid, namespace = '' } = owner.metadata
  const all = [...known]
    .filter(({ metadata }) =>
      (metadata.ownerReferences ?? []).some((ref) => ref.controller && ref.uid === uid),
    )
    .sort((a, b) => a.revision - b.revision)
  const template = owner.spec?.template ?? {}
  const next = (all.at(-1)?.revision ?? 0) + 1
  let update = all.findLast((revision) => isSameTemplate(templateOf(revision), template))
  if (update === undefined) {
    update = await makeRevision(context, owner, next)
    if (!all.some(({ metadata }) => metadata.uid === update?.metadata.uid)) all.push(update)
  } else if (update !== all.at(-1)) {
    const at = { namespace, name: update.metadata.name }
    const moved = { ...update, revision: next }
    const stored = await client.replace(kinds.controllerRevisions, at, moved, { signal })
    all.splice(all.indexOf(update), 1)
    all.push(stored)
    update = stored
  }
  const currentName = owner.status?.currentRevision
  const current = all.find(({ metadata }) => metadata.name === currentName) ?? update
  const named = (revision: Revision) => ({
    name: revision.metadata.name,
    template: templateOf(revision) ?? template,
  })
  return { current: named(current), update: { name: update.metadata.name, template }, all }
}

async function makeRevision(context: ControllerContext, owner: Owner, revision: number): Promise<Revision> {
  const { client, signal } = context
  const { name, uid, namespace = '' } = owner.metadata
  const template = owner.spec?.template ?? {}
  const hash = templateHash(template, owner.status?.collisionCount)
  const at = { namespace, name: `${name}-${hash}` }
  const labels = { ...template.metadata?.labels, 'controller.kubernetes.io/hash': hash }
  const made = {
    metadata: { ...at, labels, ownerReferences: [referenceOf(owner)] },
    // As a patch of the set that brings it back to this template.
    data: { spec: { template: { ...template, $patch: 'replace' } } },
    revision,
  }
  try {
    return await client.create(kinds.controllerRevisions, made as never, { namespace, signal })
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
    const there = await client.get(kinds.controllerRevisions, at, { signal })
    const isOurs = (there.metadata.ownerReferences ?? []).some((ref) => ref.uid === uid)
    if (isOurs && isSameTemplate(templateOf(there), template)) return there
    const status = { ...owner.status, replicas: owner.status?.replicas ?? 0 }
    await client.replace(
      kinds.statefulSets,
      { namespace, name },
      { ...owner, status: { ...status, collisionCount: (status.collisionCount ?? 0) + 1 } },
      { subresource: 'status', signal },
    )
    throw new TryAgain(error)
  }
}

function templateOf({ data }: Revision): PodTemplate | undefined {
  const { spec } = (data ?? {}) as { spec?: { template?: PodTemplate & { $patch?: string } } }
  if (spec?.template === undefined) return undefined
  const { $patch: _patch, ...template } = spec.template
  return template
}

/** Drops the eldest revisions that nothing is made from any more. */
export async function forgetRevisions(
  context: ControllerContext,
  owner: Owner,
  { all }: Revisions,
  inUse: ReadonlySet<string>,
): Promise<void> {
  const { client, signal } = context
  const idle = all.filter(({ metadata }) => !inUse.has(metadata.name))
  const limit = owner.spec?.revisionHistoryLimit ?? 10
  for (const { metadata } of idle.slice(0, Math.max(0, idle.length - limit))) {
    const at = { namespace: metadata.namespace ?? '', name: metadata.name }
    await unlessGone(client.delete(kinds.controllerRevisions, at, { signal }))
  }
}
