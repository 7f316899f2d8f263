import {
  type ControllerRevision,
  keyOf,
  kinds,
  labelSelectorOf,
  matchesLabels,
  type Node,
  parseKey,
  type Persisted,
  referenceTo,
  type SharedInformer,
  timestamp,
  WorkQueue,
} from '../../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile, TryAgain } from '../controller.ts'
import { OwnWrites } from '../job/own-writes.ts'
import { claimPods, controllerOf } from '../replicas/adoption.ts'
import { PodBatches } from '../replicas/pod-batches.ts'
import { forgetRevisions, type Revisions, syncRevisions } from '../revisions/revisions.ts'
import { FailedPods } from './failed-pods.ts'
import { fitText, hashLabel, type Owner, podFor } from './node-fit.ts'
import { statusOf } from './status.ts'
import { rollout, type Steps, upkeep } from './steps.ts'
import { type DaemonPod, DaemonView } from './view.ts'

const ownKind = { apiVersion: 'apps/v1', kind: 'DaemonSet' }
const flavour = { type: kinds.daemonSets, ownKind, hashLabel }
/** More pods than these are neither made nor deleted in one go. */
const mostAtOnce = 250

/** Keeps a pod of every daemon set on each node where it fits. */
export const daemonSetController: Controller = {
  name: 'daemonset-controller',
  actsAs: 'daemon-set-controller',
  async run(context) {
    const { informers } = context
    const owners = informers.of(kinds.daemonSets)
    const pods = informers.of(kinds.pods)
    const nodes = informers.of(kinds.nodes)
    const revisions = informers.of(kinds.controllerRevisions)
    await Promise.all([owners.synced, pods.synced, nodes.synced, revisions.synced])
    const keeper = new DaemonKeeper(context, nodes, revisions)
    const fits = new Map<string, string>()
    owners.subscribe(({ type, object }) => {
      if (type === 'DELETED') keeper.forget(object)
      else keeper.queue.add(keyOf(object))
    })
    nodes.subscribe(({ type, object }) => {
      const { name } = object.metadata
      const text = type === 'DELETED' ? undefined : fitText(object)
      if (fits.get(name) === text) return
      if (text === undefined) fits.delete(name)
      else fits.set(name, text)
      for (const owner of owners.objects.values()) keeper.queue.add(keyOf(owner))
    })
    pods.subscribe(({ type, object }) => {
      const namespace = object.metadata.namespace ?? ''
      const ref = controllerOf(object)
      if (ref?.kind === ownKind.kind) {
        keeper.podChanged(ref.uid, object, type === 'DELETED')
        keeper.queue.add(`${namespace}/${ref.name}`)
      }
      if (ref !== undefined) return
      for (const owner of owners.inNamespace(namespace)) {
        if (fitsSelector(owner, object)) keeper.queue.add(keyOf(owner))
      }
    })
    await reconcile(
      context,
      keeper.queue,
      async (key) => {
        const owner = owners.get(parseKey(key))
        if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return undefined
        return keeper.sync(owner, pods.inNamespace(owner.metadata.namespace ?? ''))
      },
      4,
    )
  },
}

function fitsSelector({ spec }: Owner, { metadata }: DaemonPod): boolean {
  const selector = spec ? labelSelectorOf(spec.selector) : []
  return selector.length > 0 && matchesLabels(selector, metadata.labels)
}

class DaemonKeeper {
  readonly queue = new WorkQueue({ firstMs: 200, largestMs: 60_000 })
  readonly #ownWrites = new OwnWrites()
  readonly #failed = new FailedPods()
  readonly #context: ControllerContext
  readonly #nodes: SharedInformer<Node>
  readonly #revisions: SharedInformer<ControllerRevision>
  readonly #batches: PodBatches

  constructor(
    context: ControllerContext,
    nodes: SharedInformer<Node>,
    revisions: SharedInformer<ControllerRevision>,
  ) {
    this.#context = context
    this.#nodes = nodes
    this.#revisions = revisions
    this.#batches = new PodBatches(context, ownKind, this.#ownWrites)
  }

  podChanged(ownerUid: string, pod: DaemonPod, isGone: boolean): void {
    if (isGone) this.#ownWrites.gone(ownerUid, pod.metadata.uid)
    else this.#ownWrites.observed(ownerUid, pod)
  }

  forget({ metadata: { uid } }: Owner): void {
    this.#ownWrites.forgetJob(uid)
    this.#failed.forget(uid)
  }

  async sync(owner: Owner, all: Iterable<DaemonPod>): Promise<{ againAfterMs: number } | undefined> {
    const { uid, namespace = '' } = owner.metadata
    const fits = (pod: DaemonPod): boolean => fitsSelector(owner, pod)
    const claimed = await claimPods(this.#context, flavour, owner, all, fits)
    const known = this.#revisions.inNamespace(namespace)
    const revisions = await syncRevisions(this.#context, flavour, owner, known)
    const pods = (): DaemonPod[] => this.#ownWrites.applied(uid, claimed, timestamp(this.#context.now()))
    const view = this.#look(owner, revisions, pods())
    const waits: number[] = []
    let steps = upkeep(view, (ended, nodeName) => this.#mayReplace(owner, ended, nodeName, waits))
    if (isNothing(steps) && owner.spec?.updateStrategy?.type !== 'OnDelete') steps = rollout(view)
    const failure = await this.#take(owner, revisions, steps)
    const { status, againAfterMs } = statusOf(this.#look(owner, revisions, pods()))
    await this.#writeStatus(owner, status)
    if (failure !== undefined) throw new TryAgain(failure)
    await this.#forgetRevisions(owner, revisions, claimed)
    if (againAfterMs !== undefined) waits.push(againAfterMs)
    return waits.length === 0 ? undefined : { againAfterMs: Math.max(1, Math.min(...waits)) }
  }

  #look(owner: Owner, { update }: Revisions, pods: readonly DaemonPod[]): DaemonView {
    const nodes: Iterable<Persisted<Node>> = this.#nodes.objects.values()
    return new DaemonView(owner, update.hash, nodes, pods, this.#context.now())
  }

  /** Returns the first failure, if there was one. */
  async #take(owner: Owner, { update }: Revisions, { fill, remove }: Steps): Promise<unknown> {
    const made = fill.slice(0, mostAtOnce).map((nodeName) => podFor(owner, ownKind, update.hash, nodeName))
    const [created, deleted] = [
      await this.#batches.create(owner, made),
      await this.#batches.delete(owner, remove.slice(0, mostAtOnce)),
    ]
    return created ?? deleted
  }

  /** A pod that ends again and again on its node is replaced ever more slowly. */
  #mayReplace(owner: Owner, ended: DaemonPod, nodeName: string, waits: number[]): boolean {
    const { name, namespace = '' } = ended.metadata
    if (ended.status?.phase === 'Succeeded') {
      const text = `Found succeeded daemon pod ${namespace}/${name} on node ${nodeName}, will try to delete it`
      this.#tell(owner, 'Normal', 'SucceededDaemonPod', text)
      return true
    }
    const waitMs = this.#failed.next(owner.metadata.uid, nodeName, this.#context.now())
    if (waitMs > 0) {
      waits.push(waitMs)
      return false
    }
    const text = `Found failed daemon pod ${namespace}/${name} on node ${nodeName}, will try to kill it`
    this.#tell(owner, 'Warning', 'FailedDaemonPod', text)
    return true
  }

  async #writeStatus(owner: Owner, status: NonNullable<Owner['status']>): Promise<void> {
    if (sortedText(status) === sortedText(owner.status ?? {})) return
    const { client, signal } = this.#context
    const at = parseKey(keyOf(owner))
    await client.replace(kinds.daemonSets, at, { ...owner, status }, { subresource: 'status', signal })
  }

  async #forgetRevisions(
    owner: Owner,
    { all, update }: Revisions,
    pods: readonly DaemonPod[],
  ): Promise<void> {
    const live = new Set(pods.map(({ metadata }) => metadata.labels?.[hashLabel]))
    const old = all.filter(({ metadata }) => metadata.name !== update.name)
    const idle = old.filter(({ metadata }) => !live.has(metadata.labels?.[hashLabel]))
    await forgetRevisions(this.#context, idle, old.length - (owner.spec?.revisionHistoryLimit ?? 10))
  }

  #tell(owner: Owner, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.record({ about: referenceTo(owner, ownKind), type, reason, message })
  }
}

function isNothing({ fill, remove }: Steps): boolean {
  return fill.length === 0 && remove.length === 0
}

function sortedText(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
