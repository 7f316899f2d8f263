import {
  keyOf,
  kinds,
  labelSelectorOf,
  matchesLabels,
  parseKey,
  type Persisted,
  type Pod,
  type ReplicaSet,
  type ResourceType,
  type SharedInformer,
  timestamp,
  WorkQueue,
} from '../../../kube/index.ts'
import { type Controller, type ControllerContext, TryAgain, reconcile, unlessGone } from '../controller.ts'
import { isActive, isReady } from '../job/job-pod.ts'
import { OwnWrites } from '../job/own-writes.ts'
import { mostDispensable } from './dispensable.ts'
import { PodBatches } from './pod-batches.ts'

/** What replica sets and replication controllers have in common. */
interface Counted {
  apiVersion?: string
  kind?: string
  metadata?: ReplicaSet['metadata']
  spec?: Omit<NonNullable<ReplicaSet['spec']>, 'selector'> & { selector?: object }
  status?: NonNullable<ReplicaSet['status']>
}
type Owner = Persisted<Counted>
type Status = NonNullable<ReplicaSet['status']>
type ReplicaPod = Persisted<Pod>

/** A kind that keeps pods at a number. */
interface Flavour {
  readonly type: ResourceType<Counted>
  readonly ownKind: { readonly apiVersion: string; readonly kind: string }
  /** The selector in the form that newer kinds have. */
  selectorOf(spec: NonNullable<Counted['spec']>): object | undefined
}

/** More pods than these are neither made nor deleted in one go. */
const mostAtOnce = 500

/** Keeps the pods of replica sets at their number. */
export const replicaSetController: Controller = {
  name: 'replicaset-controller',
  run: (context) =>
    keepReplicas(context, {
      type: kinds.replicaSets,
      ownKind: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
      selectorOf: ({ selector }) => selector,
    }),
}

/** Keeps the pods of replication controllers, the elder form of replica sets, at their number. */
export const replicationController: Controller = {
  name: 'replication-controller',
  run: (context) =>
    keepReplicas(context, {
      type: kinds.replicationControllers,
      ownKind: { apiVersion: 'v1', kind: 'ReplicationController' },
      selectorOf: ({ selector }) => selector && { matchLabels: selector },
    }),
}

async function keepReplicas(context: ControllerContext, flavour: Flavour): Promise<void> {
  const owners = context.informers.of(flavour.type)
  const pods = context.informers.of(kinds.pods)
  const quotas = context.informers.of(kinds.resourceQuotas)
  await Promise.all([owners.synced, pods.synced])
  const keeper = new ReplicaKeeper(context, flavour, owners, pods)
  owners.subscribe(({ type, object }) => keeper.ownerChanged(object, type === 'DELETED'))
  pods.subscribe(({ type, object }) => keeper.podChanged(object, type === 'DELETED'))
  quotas.subscribe(({ object }) => keeper.quotaChanged(object.metadata.namespace ?? ''))
  await keeper.run()
}

class ReplicaKeeper {
  readonly #queue = new WorkQueue({ firstMs: 200, largestMs: 60_000 })
  readonly #ownWrites = new OwnWrites()
  readonly #context: ControllerContext
  readonly #owners: SharedInformer<Counted>
  readonly #pods: SharedInformer<Pod>

  readonly #flavour: Flavour
  readonly #batches: PodBatches

  constructor(
    context: ControllerContext,
    flavour: Flavour,
    owners: SharedInformer<Counted>,
    pods: SharedInformer<Pod>,
  ) {
    this.#context = context
    this.#flavour = flavour
    this.#owners = owners
    this.#pods = pods
    this.#batches = new PodBatches(context, flavour.ownKind, this.#ownWrites)
  }

  run(): Promise<void> {
    return reconcile(this.#context, this.#queue, (key) => this.#sync(key), 8)
  }

  ownerChanged(owner: Owner, isGone: boolean): void {
    if (isGone) this.#ownWrites.forgetJob(owner.metadata.uid)
    else this.#queue.add(keyOf(owner))
  }

  podChanged(pod: ReplicaPod, isGone: boolean): void {
    const namespace = pod.metadata.namespace ?? ''
    const ref = controllerOf(pod)
    if (ref !== undefined) {
      if (ref.kind !== this.#flavour.ownKind.kind) return
      if (isGone) this.#ownWrites.gone(ref.uid, pod.metadata.uid)
      else this.#ownWrites.observed(ref.uid, pod)
      this.#queue.add(`${namespace}/${ref.name}`)
      return
    }
    for (const owner of this.#owners.inNamespace(namespace)) {
      if (this.#matches(owner, pod)) this.#queue.add(keyOf(owner))
    }
  }

  quotaChanged(namespace: string): void {
    for (const owner of this.#owners.inNamespace(namespace)) {
      if (owner.status?.conditions?.some(({ type }) => type === 'ReplicaFailure'))
        this.#queue.add(keyOf(owner))
    }
  }

  #matches(owner: Owner, pod: ReplicaPod): boolean {
    const { spec } = owner
    const wanted = spec && this.#flavour.selectorOf(spec)
    const selector = wanted ? labelSelectorOf(wanted) : []
    return selector.length > 0 && matchesLabels(selector, pod.metadata.labels)
  }

  async #sync(key: string): Promise<{ againAfterMs: number } | undefined> {
    const owner = this.#owners.get(parseKey(key))
    if (owner === undefined) return undefined
    const { now } = this.#context
    const pods = await this.#claim(owner)
    const difference = pods.length - (owner.spec?.replicas ?? 1)
    let failure: unknown
    if (owner.metadata.deletionTimestamp === undefined) {
      if (difference < 0) {
        const made = Math.min(-difference, mostAtOnce)
        failure = await this.#batches.create(
          owner,
          Array.from({ length: made }, () => this.#podOf(owner)),
        )
      } else if (difference > 0) {
        const spare = mostDispensable(pods, Math.min(difference, mostAtOnce))
        failure = await this.#batches.delete(owner, spare)
      }
    }
    const { status, againAfterMs } = statusOf(owner, pods, now())
    await this.#writeStatus(owner, withFailure(status, failure, difference, timestamp(now())))
    if (failure !== undefined) throw new TryAgain(failure)
    return againAfterMs === undefined ? undefined : { againAfterMs }
  }

  /** The owner's living pods: those that fit and nobody has are taken, those that no longer fit are let go. */
  async #claim(owner: Owner): Promise<ReplicaPod[]> {
    const { now } = this.#context
    const { uid, namespace = '', deletionTimestamp } = owner.metadata
    const mine: ReplicaPod[] = []
    const free: ReplicaPod[] = []
    for (const pod of this.#pods.inNamespace(namespace)) {
      const ref = controllerOf(pod)
      if (ref?.uid === uid) mine.push(pod)
      else if (ref === undefined && isActive(pod) && this.#matches(owner, pod)) free.push(pod)
    }
    const kept: ReplicaPod[] = []
    for (const pod of this.#ownWrites.applied(uid, mine, timestamp(now()))) {
      if (!isActive(pod)) continue
      if (this.#matches(owner, pod)) kept.push(pod)
      else if (deletionTimestamp === undefined) await this.#release(pod, uid)
    }
    if (free.length === 0 || deletionTimestamp !== undefined) return kept
    const { client, signal } = this.#context
    // The cache may lag behind a deletion that orphaned these very pods.
    const fresh = await unlessGone(client.get(this.#flavour.type, parseKey(keyOf(owner)), { signal }))
    if (fresh?.metadata.uid !== uid || fresh.metadata.deletionTimestamp !== undefined) return kept
    for (const pod of free) {
      const adopted = await this.#patchOwner(pod, { ownerReferences: [this.#reference(owner)] })
      if (adopted !== undefined) kept.push(adopted)
    }
    return kept
  }

  async #release(pod: ReplicaPod, uid: string): Promise<void> {
    await this.#patchOwner(pod, { ownerReferences: [{ $patch: 'delete', uid }] })
  }

  #patchOwner(pod: ReplicaPod, metadata: object): Promise<ReplicaPod | undefined> {
    const { client, signal } = this.#context
    const at = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name }
    const patch = { metadata: { uid: pod.metadata.uid, ...metadata } }
    return unlessGone(client.patch(kinds.pods, at, { type: 'strategic', patch }, { signal }))
  }

  #reference({ metadata: { name, uid } }: Owner) {
    return { ...this.#flavour.ownKind, name, uid, controller: true, blockOwnerDeletion: true }
  }

  #podOf(owner: Owner): Pod {
    const { name, namespace = '' } = owner.metadata
    const { metadata, spec } = owner.spec?.template ?? {}
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        generateName: `${name}-`,
        namespace,
        ...(metadata?.labels && { labels: metadata.labels }),
        ...(metadata?.annotations && { annotations: metadata.annotations }),
        ...(metadata?.finalizers && { finalizers: metadata.finalizers }),
        ownerReferences: [this.#reference(owner)],
      },
      spec: spec ?? { containers: [] },
    }
  }

  async #writeStatus(owner: Owner, status: Status): Promise<void> {
    if (sortedText(status) === sortedText(owner.status ?? { replicas: 0 })) return
    const { client, signal } = this.#context
    const at = parseKey(keyOf(owner))
    await client.replace(this.#flavour.type, at, { ...owner, status }, { subresource: 'status', signal })
  }
}

function controllerOf(pod: ReplicaPod) {
  return (pod.metadata.ownerReferences ?? []).find(({ controller }) => controller)
}

interface StatusSource {
  readonly metadata: { readonly generation?: number }
  readonly spec?: Counted['spec'] | undefined
  readonly status?: ReplicaSet['status'] | undefined
}

function statusOf(
  owner: StatusSource,
  pods: readonly ReplicaPod[],
  now: number,
): { status: Status; againAfterMs: number | undefined } {
  const minReadyMs = (owner.spec?.minReadySeconds ?? 0) * 1000
  const wanted = Object.entries(owner.spec?.template?.metadata?.labels ?? {})
  const waits: number[] = []
  let [labeled, ready, available] = [0, 0, 0]
  for (const pod of pods) {
    if (wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)) labeled += 1
    if (!isReady(pod)) continue
    ready += 1
    const since = (pod.status?.conditions ?? []).find(({ type }) => type === 'Ready')?.lastTransitionTime
    const waitMs = minReadyMs === 0 ? 0 : Date.parse(since ?? '') + minReadyMs - now
    if (waitMs <= 0) available += 1
    else if (waitMs > 0) waits.push(waitMs)
  }
  const { conditions } = owner.status ?? {}
  const { generation } = owner.metadata
  const status: Status = {
    replicas: pods.length,
    ...(labeled > 0 && { fullyLabeledReplicas: labeled }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(conditions && { conditions }),
  }
  return { status, againAfterMs: waits.length === 0 ? undefined : Math.max(1, Math.min(...waits)) }
}

function withFailure(status: Status, failure: unknown, difference: number, time: string): Status {
  const { conditions = [], ...rest } = status
  const others = conditions.filter(({ type }) => type !== 'ReplicaFailure')
  if (failure === undefined) return others.length === 0 ? rest : { ...rest, conditions: others }
  if (others.length < conditions.length) return status
  const condition = {
    type: 'ReplicaFailure',
    status: 'True',
    lastTransitionTime: time,
    reason: difference < 0 ? 'FailedCreate' : 'FailedDelete',
    message: messageOf(failure),
  }
  return { ...rest, conditions: [...others, condition] }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function sortedText(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
