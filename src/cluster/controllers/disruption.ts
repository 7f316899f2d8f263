import {
  keyOf,
  kinds,
  type KubeObject,
  type ObjectMeta,
  labelSelectorOf,
  matchesLabels,
  parseKey,
  type Persisted,
  type Pod,
  type PodDisruptionBudget,
  referenceTo,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile } from './controller.ts'
import { isReady } from './service-pods.ts'

type Budget = Persisted<PodDisruptionBudget>
type Status = NonNullable<PodDisruptionBudget['status']>

const budgetKind = { kind: 'PodDisruptionBudget', apiVersion: 'policy/v1' }
/** A granted disruption that has not happened by then will not happen. */
const grantMs = 120_000
const settleMs = 20

/** Keeps count of how many pods a disruption budget can spare. The eviction request itself is the server's to judge. */
export const disruptionController: Controller = {
  name: 'disruption-controller',
  async run(context) {
    const { client, informers, signal, now } = context
    const budgets = informers.of(kinds.podDisruptionBudgets)
    const pods = informers.of(kinds.pods)
    await Promise.all([budgets.synced, pods.synced])
    const queue = new WorkQueue()
    budgets.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(keyOf(change.object))
    })
    const touched = (pod: Persisted<Pod>): void => {
      for (const budget of budgets.inNamespace(pod.metadata.namespace ?? '')) {
        if (covers(budget, pod)) queue.addAfter(keyOf(budget), settleMs)
      }
    }
    pods.subscribe((change) => {
      if (change.type === 'MODIFIED') {
        if (viewOf(change.previous) === viewOf(change.object)) return
        touched(change.previous)
      }
      touched(change.object)
    })
    await reconcile(context, queue, async (key) => {
      const budget = budgets.get(parseKey(key))
      if (budget === undefined) return undefined
      const covered = [...pods.inNamespace(budget.metadata.namespace ?? '')].filter((pod) =>
        covers(budget, pod),
      )
      let expectation: Expectation
      try {
        expectation = await expectationOf(context, budget, covered)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        tell(
          context,
          budget,
          'CalculateExpectedPodCountFailed',
          `Failed to calculate the number of expected pods: ${why}`,
        )
        await writeStatus(failedStatus(budget, why, timestamp(now())))
        return undefined
      }
      if (covered.length === 0) tell(context, budget, 'NoPods', 'No matching pods found', 'Normal')
      const { status, againAfterMs } = budgetStatus(budget, covered, expectation, now())
      await writeStatus(status)
      return againAfterMs === undefined ? undefined : { againAfterMs }

      async function writeStatus(next: Status): Promise<void> {
        if (budget === undefined || JSON.stringify(normal(next)) === JSON.stringify(normal(budget.status)))
          return
        await client.replace(
          kinds.podDisruptionBudgets,
          parseKey(key),
          { ...budget, status: next },
          {
            subresource: 'status',
            signal,
          },
        )
      }
    })
  },
}

export interface Expectation {
  readonly expected: number
  readonly desired: number
}

function covers(budget: Budget, pod: Persisted<Pod>): boolean {
  const selector = budget.spec?.selector
  return selector !== undefined && matchesLabels(labelSelectorOf(selector), pod.metadata.labels)
}

/** How many pods there should be, and how many of them must stay. */
async function expectationOf(
  context: ControllerContext,
  budget: Budget,
  pods: readonly Persisted<Pod>[],
): Promise<Expectation> {
  const { minAvailable, maxUnavailable } = budget.spec ?? {}
  if (maxUnavailable !== undefined) {
    const expected = await scaleOf(context, budget, pods)
    return { expected, desired: Math.max(0, expected - share(maxUnavailable, expected)) }
  }
  if (typeof minAvailable === 'number') return { expected: pods.length, desired: minAvailable }
  if (minAvailable === undefined) return { expected: 0, desired: 0 }
  const expected = await scaleOf(context, budget, pods)
  return { expected, desired: share(minAvailable, expected) }
}

function share(value: number | string, total: number): number {
  if (typeof value === 'number') return value
  return Math.ceil((Number(value.replace('%', '')) * total) / 100)
}

/** What the controllers of these pods want to have, all together. */
async function scaleOf(
  context: ControllerContext,
  budget: Budget,
  pods: readonly Persisted<Pod>[],
): Promise<number> {
  const scales = new Map<string, number>()
  let unmanaged = 0
  const sets = context.informers.of(kinds.replicaSets)
  await sets.synced
  for (const pod of pods) {
    const { namespace = '' } = pod.metadata
    const nearest = controllerOf(pod)
    const set = nearest?.kind === 'ReplicaSet' ? sets.get({ namespace, name: nearest.name }) : undefined
    const above = set && controllerOf(set)
    // In a rollout the pods of all replica sets together are as many as the deployment wants.
    const owner = above?.kind === 'Deployment' ? above : nearest
    if (owner === undefined) unmanaged += 1
    else if (!scales.has(owner.uid)) {
      scales.set(owner.uid, await scaleOfOwner(context, namespace, owner))
    }
  }
  if (unmanaged > 0) {
    const selector = JSON.stringify(budget.spec?.selector ?? {})
    tell(
      context,
      budget,
      'UnmanagedPods',
      `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
    )
  }
  return [...scales.values()].reduce((total, scale) => total + scale, 0)
}

function controllerOf({ metadata }: { readonly metadata: ObjectMeta }) {
  return (metadata.ownerReferences ?? []).find(({ controller }) => controller)
}

async function scaleOfOwner(
  context: ControllerContext,
  namespace: string,
  owner: { apiVersion: string; kind: string; name: string },
): Promise<number> {
  const { client, served, signal } = context
  const group = owner.apiVersion.includes('/') ? (owner.apiVersion.split('/')[0] ?? '') : ''
  const type = served.find(group, owner.kind)
  if (type === undefined) throw new Error(`no matches for kind "${owner.kind}" in group "${group}"`)
  try {
    const scale: KubeObject = await client.get(
      type,
      { namespace, name: owner.name },
      { subresource: 'scale', signal },
    )
    const { replicas } = (scale['spec'] ?? {}) as { replicas?: number }
    return replicas ?? 0
  } catch (error) {
    const name = group === '' ? type.plural : `${type.plural}.${group}`
    throw new Error(`${name} does not implement the scale subresource`, { cause: error })
  }
}

/** The status of a budget over these pods, and when it changes by itself. */
export function budgetStatus(
  budget: Budget,
  pods: readonly Persisted<Pod>[],
  { expected, desired }: Expectation,
  now: number,
): { status: Status; againAfterMs: number | undefined } {
  const granted = Object.entries(budget.status?.disruptedPods ?? {})
  const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]))
  const waiting = granted.filter(([name, time]) => {
    const pod = byName.get(name)
    return (
      pod !== undefined && pod.metadata.deletionTimestamp === undefined && Date.parse(time) + grantMs > now
    )
  })
  const isSpoken = new Set(waiting.map(([name]) => name))
  const healthy = pods.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && !isSpoken.has(pod.metadata.name) && isReady(pod),
  ).length
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired)
  const condition =
    allowed > 0
      ? { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' }
      : { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' }
  const status: Status = {
    ...(waiting.length > 0 && { disruptedPods: Object.fromEntries(waiting) }),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    ...observedGeneration(budget),
    conditions: [withTransition(budget, condition, timestamp(now))],
  }
  const nextMs = Math.min(...waiting.map(([, time]) => Date.parse(time) + grantMs - now))
  return { status, againAfterMs: waiting.length > 0 ? Math.max(1, nextMs) : undefined }
}

/** Nothing may be disrupted while it is not known what may. */
function failedStatus(budget: Budget, message: string, time: string): Status {
  const { disruptedPods } = budget.status ?? {}
  return {
    ...(disruptedPods && { disruptedPods }),
    disruptionsAllowed: 0,
    currentHealthy: budget.status?.currentHealthy ?? 0,
    desiredHealthy: budget.status?.desiredHealthy ?? 0,
    expectedPods: budget.status?.expectedPods ?? 0,
    ...observedGeneration(budget),
    conditions: [
      withTransition(
        budget,
        { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message },
        time,
      ),
    ],
  }
}

function observedGeneration(budget: Budget): { observedGeneration?: number } {
  const { generation } = budget.metadata
  return generation === undefined ? {} : { observedGeneration: generation }
}

type Condition = NonNullable<Status['conditions']>[number]

function withTransition(
  budget: Budget,
  condition: Omit<Condition, 'lastTransitionTime'>,
  time: string,
): Condition {
  const before = (budget.status?.conditions ?? []).find(({ type }) => type === condition.type)
  return {
    ...condition,
    ...observedGeneration(budget),
    lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : time,
  }
}

function normal(status: Status | undefined): unknown {
  return [
    status?.disruptedPods ?? {},
    status?.disruptionsAllowed,
    status?.currentHealthy,
    status?.desiredHealthy,
    status?.expectedPods,
    status?.observedGeneration,
    (status?.conditions ?? []).map(({ type, status: value, reason, message }) => [
      type,
      value,
      reason,
      message,
    ]),
  ]
}

function viewOf(pod: Persisted<Pod>): string {
  return JSON.stringify([
    pod.metadata.labels,
    pod.metadata.deletionTimestamp,
    isReady(pod),
    pod.status?.phase,
  ])
}

function tell(
  context: ControllerContext,
  budget: Budget,
  reason: string,
  message: string,
  type: 'Normal' | 'Warning' = 'Warning',
): void {
  context.recorder.record({ about: referenceTo(budget, budgetKind), type, reason, message })
}
