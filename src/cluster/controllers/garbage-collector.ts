import {
  type ObjectIdentity,
  type KubeObject,
  type ObjectName,
  type OwnerReference,
  type Persisted,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from './controller.ts'
import {
  GarbageGraph,
  type GraphEffects,
  type Item,
  type ObservedItem,
  type OwnerState,
  judge,
} from './garbage-graph.ts'
import { misplacedOwner } from './misplaced-owners.ts'
import type { ServedResource } from './served-resources.ts'

const foreground = 'foregroundDeletion'
const orphan = 'orphan'
const rememberedAbsent = 500
/** How long to wait before an owner of an unknown kind is looked for again. */
const unknownOwnerMs = 30_000

/** Deletes what has lost its owners, in the background, before the owner or not at all, as the deletion asked for. */
export const garbageCollector: Controller = {
  name: 'generic-garbage-collector',
  async run(context) {
    const { served, signal } = context
    await served.synced
    if (signal.aborted) return
    const collector = new Collector(context)
    served.follow((resource, objects) => {
      objects.subscribe((change) => {
        if (change.type === 'DELETED') collector.gone(change.object)
        else collector.observe(observed(resource, change.object))
      })
    })
    await collector.run()
  },
}

function observed(type: ServedResource, { metadata }: Persisted<ObjectIdentity>): ObservedItem {
  const isDeleting = metadata.deletionTimestamp !== undefined
  return {
    type,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    name: metadata.name,
    uid: metadata.uid,
    owners: metadata.ownerReferences ?? [],
    isDeleting,
    isForeground: isDeleting && (metadata.finalizers ?? []).includes(foreground),
    isOrphaning: isDeleting && (metadata.finalizers ?? []).includes(orphan),
  }
}

class Collector {
  readonly #context: ControllerContext
  readonly #graph = new GarbageGraph()
  readonly #queue = new WorkQueue()
  readonly #orphans = new WorkQueue()
  /** uid -> item, while it waits in a queue. */
  readonly #items = new Map<string, Item>()
  /** Uids of what is gone, and owners that were looked for and are not there. */
  readonly #absent = new Set<string>()

  constructor(context: ControllerContext) {
    this.#context = context
  }

  observe(item: ObservedItem): void {
    this.#enqueue(this.#graph.observe(item))
  }

  gone({ metadata }: Persisted<ObjectIdentity>): void {
    this.#remember(metadata.uid)
    this.#enqueue(this.#graph.gone(metadata.uid, metadata.ownerReferences ?? []))
  }

  async run(): Promise<void> {
    await Promise.all([
      reconcile(this.#context, this.#queue, (uid) => this.#examine(uid), 10),
      reconcile(this.#context, this.#orphans, (uid) => this.#setDependentsFree(uid), 4),
    ])
  }

  #enqueue(effects: GraphEffects): void {
    for (const item of effects.examine) {
      this.#items.set(item.uid, item)
      this.#queue.add(item.uid)
    }
    for (const item of effects.orphan) this.#orphans.add(item.uid)
  }

  #remember(absent: string): void {
    if (this.#absent.size >= rememberedAbsent) {
      const oldest = this.#absent.values().next()
      if (!oldest.done) this.#absent.delete(oldest.value)
    }
    this.#absent.add(absent)
  }

  async #examine(uid: string): Promise<{ againAfterMs: number } | undefined> {
    const item = this.#graph.get(uid)
    if (item === undefined) {
      this.#items.delete(uid)
      return undefined
    }
    if (item.isDeleting && !item.isForeground) return undefined
    if (item.isForeground) return this.#continueForeground(item)
    const states = new Map<string, OwnerState>()
    for (const owner of item.owners) states.set(owner.uid, await this.#stateOf(item, owner))
    const verdict = judge(
      item.owners,
      (owner) => states.get(owner.uid) ?? 'unknown',
      this.#graph.hasDependents(item.uid),
    )
    this.#items.delete(uid)
    switch (verdict.action) {
      case 'keep':
        return [...states.values()].includes('unknown') ? { againAfterMs: unknownOwnerMs } : undefined
      case 'drop-owners':
        await this.#dropOwners(item, verdict.uids)
        return undefined
      case 'delete-foreground':
        await this.#breakCircle(item)
        await this.#delete(item, 'Foreground')
        return undefined
      case 'delete':
        await this.#delete(item)
        return undefined
    }
  }

  async #stateOf(item: Item, owner: OwnerReference): Promise<OwnerState> {
    // What somebody says of an owner elsewhere must not count against those whom it does own.
    const claimed = JSON.stringify([item.namespace, owner.apiVersion, owner.kind, owner.name, owner.uid])
    if (this.#absent.has(owner.uid) || this.#absent.has(claimed)) return 'absent'
    const { served, informers, client, recorder, signal } = this.#context
    const group = owner.apiVersion.includes('/') ? (owner.apiVersion.split('/')[0] ?? '') : ''
    const type = served.find(group, owner.kind)
    if (type === undefined) return 'unknown'
    if (type.namespaced && item.namespace === undefined) {
      recorder.record(misplacedOwner(item, owner))
      return 'solid'
    }
    const at: ObjectName = {
      name: owner.name,
      ...(type.namespaced && item.namespace !== undefined && { namespace: item.namespace }),
    }
    const isWatched = type.plural !== 'events' && type.verbs.includes('watch')
    let found: Persisted<ObjectIdentity> | undefined = isWatched
      ? informers.identities(type).get(at)
      : undefined
    // The owner may be younger than what has been heard of its kind: ask before anything is deleted.
    if (found?.metadata.uid !== owner.uid) found = await unlessGone(client.get(type, at, { signal }))
    if (found === undefined || found.metadata.uid !== owner.uid) {
      this.#remember(claimed)
      if (isWatched && type.namespaced && isElsewhere(informers.identities(type).objects, owner))
        recorder.record(misplacedOwner(item, owner))
      return 'absent'
    }
    return observed(type, found).isForeground ? 'foreground' : 'solid'
  }

  /** The owner goes when no dependent that blocks it is left. */
  async #continueForeground(item: ObservedItem): Promise<undefined> {
    const blocking = this.#graph.dependentsOf(item.uid).filter(
      ({ namespace, owners }) =>
        // Nobody keeps what belongs to another namespace from going.
        (item.namespace === undefined || item.namespace === namespace) &&
        owners.some((owner) => owner.uid === item.uid && owner.blockOwnerDeletion),
    )
    if (blocking.length === 0) {
      await this.#removeFinalizer(item, foreground)
      return undefined
    }
    for (const dependent of blocking) {
      if (dependent.isDeleting) continue
      this.#items.set(dependent.uid, dependent)
      this.#queue.add(dependent.uid)
    }
    return undefined
  }

  /** Two objects that wait for each other would wait for ever. */
  async #breakCircle(item: Item): Promise<void> {
    const isCircular = this.#graph.dependentsOf(item.uid).some((dependent) => dependent.isForeground)
    if (!isCircular) return
    await this.#change(item, (owners) => owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })))
  }

  async #dropOwners(item: Item, uids: readonly string[]): Promise<void> {
    await this.#change(item, (owners) => owners.filter((owner) => !uids.includes(owner.uid)))
  }

  async #setDependentsFree(uid: string): Promise<void> {
    const item = this.#graph.get(uid)
    if (item === undefined || !item.isOrphaning) return
    for (const dependent of this.#graph.dependentsOf(uid)) await this.#dropOwners(dependent, [uid])
    await this.#removeFinalizer(item, orphan)
  }

  async #delete(item: Item, policy?: 'Foreground'): Promise<void> {
    const latest = await this.#latest(item)
    if (latest === undefined) return
    const finalizers = latest.metadata.finalizers ?? []
    const asked = finalizers.includes(orphan)
      ? 'Orphan'
      : finalizers.includes(foreground)
        ? 'Foreground'
        : 'Background'
    // Only while it still is what was judged: an owner given to it meanwhile must count.
    const preconditions = { uid: item.uid, resourceVersion: latest.metadata.resourceVersion }
    const judged = this.#graph.get(item.uid)?.owners ?? []
    const isOwnedAnew = (latest.metadata.ownerReferences ?? []).some(
      (owner) => !judged.some((known) => known.uid === owner.uid),
    )
    if (isOwnedAnew) return
    await unlessGone(
      this.#context.client.delete(item.type, addressOf(item), {
        propagationPolicy: policy ?? asked,
        preconditions,
        signal: this.#context.signal,
      }),
    )
  }

  async #removeFinalizer(item: Item, finalizer: string): Promise<void> {
    const latest = await this.#latest(item)
    if (latest === undefined) return
    const finalizers = (latest.metadata.finalizers ?? []).filter((name) => name !== finalizer)
    await this.#patch(item, latest, { finalizers })
  }

  async #change(item: Item, change: (owners: OwnerReference[]) => OwnerReference[]): Promise<void> {
    const latest = await this.#latest(item)
    if (latest === undefined) return
    await this.#patch(item, latest, { ownerReferences: change(latest.metadata.ownerReferences ?? []) })
  }

  async #latest(item: Item): Promise<Persisted<KubeObject> | undefined> {
    const { client, signal } = this.#context
    const latest = await unlessGone(client.get(item.type, addressOf(item), { signal }))
    return latest?.metadata.uid === item.uid ? latest : undefined
  }

  async #patch(
    item: Item,
    latest: Persisted<KubeObject>,
    change: { finalizers?: string[]; ownerReferences?: OwnerReference[] },
  ): Promise<void> {
    const { uid, resourceVersion } = latest.metadata
    const { finalizers, ownerReferences } = change
    const metadata = {
      uid,
      resourceVersion,
      ...(finalizers && { finalizers: finalizers.length > 0 ? finalizers : null }),
      ...(ownerReferences && {
        ownerReferences: ownerReferences.length > 0 ? ownerReferences.map((owner) => ({ ...owner })) : null,
      }),
    }
    await unlessGone(
      this.#context.client.patch(
        item.type,
        addressOf(item),
        { type: 'merge', patch: { metadata } },
        { signal: this.#context.signal },
      ),
    )
  }
}

/** Looks through all objects of a kind: only for an owner that is not where it is said to be. */
function isElsewhere(
  objects: ReadonlyMap<string, Persisted<ObjectIdentity>>,
  { uid }: OwnerReference,
): boolean {
  for (const { metadata } of objects.values()) if (metadata.uid === uid) return true
  return false
}

function addressOf(item: Item): ObjectName {
  return { name: item.name, ...(item.namespace !== undefined && { namespace: item.namespace }) }
}
