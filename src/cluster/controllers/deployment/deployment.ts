import {
  keyOf,
  kinds,
  labelSelectorOf,
  matchesLabels,
  parseKey,
  type Persisted,
  type Pod,
  type SharedInformer,
  type Deployment,
  type ReplicaSet,
  WorkQueue,
} from '../../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, unlessGone } from '../controller.ts'
import { ReplicaSets } from './replica-sets.ts'
import { Rollout } from './rollout.ts'
import { type Generation, type Owner, ownKind } from './template.ts'

/** Replaces the pods of deployments, replica set by replica set. */
export const deploymentController: Controller = {
  name: 'deployment-controller',
  async run(context) {
    const owners = context.informers.of(kinds.deployments)
    const sets = context.informers.of(kinds.replicaSets)
    const pods = context.informers.of(kinds.pods)
    await Promise.all([owners.synced, sets.synced, pods.synced])
    const keeper = new DeploymentKeeper(context, owners, sets, pods)
    owners.subscribe(({ type, object }) => {
      if (type !== 'DELETED') keeper.queue.add(keyOf(object))
    })
    sets.subscribe(({ object }) => keeper.setChanged(object))
    pods.subscribe(({ type, object }) => {
      if (type === 'DELETED') keeper.podGone(object)
    })
    await reconcile(context, keeper.queue, (key) => keeper.sync(key), 4)
  },
}

class DeploymentKeeper {
  readonly queue = new WorkQueue()
  readonly #context: ControllerContext
  readonly #owners: SharedInformer<Deployment>
  readonly #sets: SharedInformer<ReplicaSet>
  readonly #pods: SharedInformer<Pod>

  constructor(
    context: ControllerContext,
    owners: SharedInformer<Deployment>,
    sets: SharedInformer<ReplicaSet>,
    pods: SharedInformer<Pod>,
  ) {
    this.#context = context
    this.#owners = owners
    this.#sets = sets
    this.#pods = pods
  }

  setChanged(set: Generation): void {
    const namespace = set.metadata.namespace ?? ''
    const ref = controllerOf(set)
    if (ref !== undefined) {
      if (ref.kind === ownKind.kind) this.queue.add(`${namespace}/${ref.name}`)
      return
    }
    for (const owner of this.#owners.inNamespace(namespace)) {
      if (matches(owner, set)) this.queue.add(keyOf(owner))
    }
  }

  /** A deployment that recreates its pods waits for the last of the old ones to be gone. */
  podGone(pod: Persisted<Pod>): void {
    const namespace = pod.metadata.namespace ?? ''
    const ref = controllerOf(pod)
    if (ref?.kind !== 'ReplicaSet') return
    const set = this.#sets.get({ namespace, name: ref.name })
    const owner = set && controllerOf(set)
    if (owner?.kind !== ownKind.kind) return
    const at = { namespace, name: owner.name }
    if (this.#owners.get(at)?.spec?.strategy?.type === 'Recreate')
      this.queue.add(`${namespace}/${owner.name}`)
  }

  async sync(key: string): Promise<{ againAfterMs: number } | undefined> {
    const owner = this.#owners.get(parseKey(key))
    if (owner === undefined) return undefined
    const sets = await this.#claim(owner)
    const uids = new Set(sets.map(({ metadata }) => metadata.uid))
    const pods = [...this.#pods.inNamespace(owner.metadata.namespace ?? '')].filter((pod) =>
      uids.has(controllerOf(pod)?.uid ?? ''),
    )
    const kept = new ReplicaSets(this.#context, owner, sets)
    const againAfterMs = await new Rollout(kept, pods, this.#context.now).run()
    return againAfterMs === undefined ? undefined : { againAfterMs }
  }

  /** The deployment's replica sets: those that fit and nobody has are taken, those that no longer fit are let go. */
  async #claim(owner: Owner): Promise<Generation[]> {
    const { uid, name, namespace = '', deletionTimestamp } = owner.metadata
    const kept: Generation[] = []
    const free: Generation[] = []
    for (const set of this.#sets.inNamespace(namespace)) {
      const ref = controllerOf(set)
      if (ref?.uid === uid) {
        if (matches(owner, set)) kept.push(set)
        else if (deletionTimestamp === undefined) {
          await this.#patchOwner(set, { ownerReferences: [{ $patch: 'delete', uid }] })
        }
      } else if (ref === undefined && set.metadata.deletionTimestamp === undefined && matches(owner, set)) {
        free.push(set)
      }
    }
    if (free.length === 0 || deletionTimestamp !== undefined) return kept
    const { client, signal } = this.#context
    // The cache may lag behind a deletion that orphaned these very replica sets.
    const fresh = await unlessGone(client.get(kinds.deployments, { namespace, name }, { signal }))
    if (fresh?.metadata.uid !== uid || fresh.metadata.deletionTimestamp !== undefined) return kept
    const reference = { ...ownKind, name, uid, controller: true, blockOwnerDeletion: true }
    for (const set of free) {
      const adopted = await this.#patchOwner(set, { ownerReferences: [reference] })
      if (adopted !== undefined) kept.push(adopted)
    }
    return kept
  }

  async #patchOwner(set: Generation, metadata: object): Promise<Generation | undefined> {
    const { client, signal } = this.#context
    const at = { namespace: set.metadata.namespace ?? '', name: set.metadata.name }
    const patch = { metadata: { uid: set.metadata.uid, ...metadata } }
    return unlessGone(client.patch(kinds.replicaSets, at, { type: 'strategic', patch }, { signal }))
  }
}

function matches(owner: Owner, set: Generation): boolean {
  const selector = owner.spec && labelSelectorOf(owner.spec.selector)
  return selector !== undefined && selector.length > 0 && matchesLabels(selector, set.metadata.labels)
}

function controllerOf({ metadata }: Persisted<Pod> | Generation) {
  return (metadata.ownerReferences ?? []).find(({ controller }) => controller)
}
