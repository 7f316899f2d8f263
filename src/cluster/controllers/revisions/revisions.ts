import {
  type ControllerRevision,
  isStatus,
  kinds,
  labelSelectorOf,
  type LabelSelectorObject,
  matchesLabels,
  type Persisted,
  type PodTemplateSpec,
  type ResourceType,
} from '../../../kube/index.ts'
import { type ControllerContext, TryAgain, unlessGone } from '../controller.ts'
import { isSameTemplate, templateHash } from '../deployment/template.ts'

export type Revision = Persisted<ControllerRevision>

/** What has a template and keeps its history. */
export interface Revised {
  apiVersion?: string
  kind?: string
  metadata?: ControllerRevision['metadata']
  spec?: { template?: PodTemplateSpec; selector?: LabelSelectorObject }
  status?: { collisionCount?: number; currentRevision?: string }
}

/** A kind whose controller keeps revisions. */
export interface RevisedKind {
  readonly type: ResourceType<Revised>
  readonly ownKind: { readonly apiVersion: string; readonly kind: string }
  /** The label of a revision that holds the hash of its template. */
  readonly hashLabel: string
}

interface NamedTemplate {
  readonly name: string
  readonly hash: string
  readonly template: PodTemplateSpec
}

/** What an owner's pods are made from, and what they were made from before. */
export interface Revisions {
  readonly current: NamedTemplate
  readonly update: NamedTemplate
  /** The eldest first. */
  readonly all: readonly Revision[]
}

/** The revisions of an owner; the template as it is now becomes the newest of them. */
export async function syncRevisions(
  context: ControllerContext,
  flavour: RevisedKind,
  owner: Persisted<Revised>,
  known: Iterable<Revision>,
): Promise<Revisions> {
  const { client, signal } = context
  const { namespace = '' } = owner.metadata
  const all = await claimRevisions(context, flavour, owner, known)
  const template = owner.spec?.template ?? {}
  const next = (all.at(-1)?.revision ?? 0) + 1
  let update = all.findLast((revision) => isSameTemplate(templateOf(revision), template))
  if (update === undefined) {
    update = await makeRevision(context, flavour, owner, next)
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
  const named = (revision: Revision, made: PodTemplateSpec): NamedTemplate => ({
    name: revision.metadata.name,
    hash: revision.metadata.labels?.[flavour.hashLabel] ?? '',
    template: made,
  })
  return { current: named(current, templateOf(current) ?? template), update: named(update, template), all }
}

/** The owner's revisions, and those that one of its name left behind; the eldest first. */
async function claimRevisions(
  { client, signal }: ControllerContext,
  { type, ownKind }: RevisedKind,
  { metadata: { name, namespace = '', uid }, spec }: Persisted<Revised>,
  known: Iterable<Revision>,
): Promise<Revision[]> {
  const selector = spec?.selector ? labelSelectorOf(spec.selector) : []
  const kept: Revision[] = []
  const free: Revision[] = []
  for (const revision of known) {
    const { ownerReferences = [], labels, deletionTimestamp } = revision.metadata
    const ref = ownerReferences.find(({ controller }) => controller)
    if (ref?.uid === uid) kept.push(revision)
    else if (ref === undefined && deletionTimestamp === undefined && selector.length > 0) {
      if (matchesLabels(selector, labels)) free.push(revision)
    }
  }
  if (free.length > 0) {
    // The cache may lag behind a deletion that orphaned these very revisions.
    const fresh = await unlessGone(client.get(type, { namespace, name }, { signal }))
    const isThere = fresh?.metadata.uid === uid && fresh.metadata.deletionTimestamp === undefined
    const reference = { ...ownKind, name, uid, controller: true, blockOwnerDeletion: true }
    for (const { metadata } of isThere ? free : []) {
      const at = { namespace, name: metadata.name }
      const patch = { metadata: { uid: metadata.uid, ownerReferences: [reference] } } as never
      const adopted = await unlessGone(
        client.patch(kinds.controllerRevisions, at, { type: 'strategic', patch }, { signal }),
      )
      if (adopted !== undefined) kept.push(adopted)
    }
  }
  return kept.sort((a, b) => a.revision - b.revision)
}

async function makeRevision(
  context: ControllerContext,
  { type, ownKind, hashLabel }: RevisedKind,
  owner: Persisted<Revised>,
  revision: number,
): Promise<Revision> {
  const { client, signal } = context
  const { name, uid, namespace = '', annotations } = owner.metadata
  const template = owner.spec?.template ?? {}
  const hash = templateHash(template, owner.status?.collisionCount)
  const at = { namespace, name: `${name}-${hash}` }
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  const reference = { ...ownKind, name, uid, controller: true, blockOwnerDeletion: true }
  const made = {
    // The annotations tell `kubectl rollout history` why it was changed.
    metadata: { ...at, labels, ...(annotations && { annotations }), ownerReferences: [reference] },
    // As a patch of the owner that brings it back to this template.
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
    const collisionCount = (owner.status?.collisionCount ?? 0) + 1
    await client.replace(
      type,
      { namespace, name },
      { ...owner, status: { ...owner.status, collisionCount } },
      { subresource: 'status', signal },
    )
    throw new TryAgain(error)
  }
}

function templateOf({ data }: Revision): PodTemplateSpec | undefined {
  const { spec } = (data ?? {}) as { spec?: { template?: PodTemplateSpec & { $patch?: string } } }
  if (spec?.template === undefined) return undefined
  const { $patch: _patch, ...template } = spec.template
  return template
}

/** Drops so many of the revisions, the first of them first. */
export async function forgetRevisions(
  { client, signal }: ControllerContext,
  idle: readonly Revision[],
  excess: number,
): Promise<void> {
  for (const { metadata } of idle.slice(0, Math.max(0, excess))) {
    const at = { namespace: metadata.namespace ?? '', name: metadata.name }
    await unlessGone(client.delete(kinds.controllerRevisions, at, { signal }))
  }
}
