import { type Persisted, type PodDisruptionBudget, labelSelectorOf, matchesLabels } from '../../kube/index.ts'
import type { ClusterState } from './cluster-state.ts'
import { PodRefused, type Refusal } from './filter.ts'
import { preemptionMessage } from './messages.ts'
import type { NodeInfo } from './node-info.ts'
import { type Diagnosis, prepareChecks, promisedBefore } from './place.ts'
import type { PodInfo } from './pod-info.ts'

/** Pods that have to go so that another fits on the node. */
export interface PreemptionPlan {
  readonly node: NodeInfo
  readonly victims: readonly PodInfo[]
  /** How many of them a disruption budget would protect. */
  readonly violations: number
}

export interface NoPreemption {
  /** Why nothing was preempted, in Kubernetes' words. */
  readonly message: string
  /** No node would do: the pod has no use for room that it was promised before. */
  readonly isHopeless: boolean
}

type Budget = Persisted<PodDisruptionBudget>

export interface PreemptionOptions {
  readonly budgets: readonly Budget[]
  /** Pods for which room is being made on a node. */
  readonly promisedTo: (node: NodeInfo) => readonly PodInfo[]
}

/** Nodes looked at closely, at least; a tenth of all in large clusters, as Kubernetes does. */
const fewestCandidates = 100
const noVictims = 'No preemption victims found for incoming pod'

/** Finds the node where a pod of higher priority does the least harm. Reads only. */
export function planPreemption(
  pod: PodInfo,
  cluster: ClusterState,
  diagnosis: Diagnosis,
  options: PreemptionOptions,
): PreemptionPlan | NoPreemption {
  const ineligible = whyNotEligible(pod, cluster)
  if (ineligible !== undefined) return { message: ineligible, isHopeless: false }
  const enough = Math.max(fewestCandidates, Math.floor(cluster.nodes.length / 10))
  const tried: (readonly string[])[] = []
  const plans: PreemptionPlan[] = []
  for (const [node, refusal] of diagnosis.refusals) {
    if (refusal.isHopeless) continue
    if (plans.length >= enough) break
    const outcome = victimsOn(pod, node, cluster, options)
    if ('reasons' in outcome) tried.push(outcome.reasons)
    else plans.push(outcome)
  }
  const best = leastHarm(plans)
  return best ?? { message: preemptionMessage(diagnosis.nodeCount, tried), isHopeless: true }
}

function whyNotEligible(pod: PodInfo, cluster: ClusterState): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const nominated = pod.pod.status?.nominatedNodeName
  const node = nominated ? cluster.node(nominated) : undefined
  for (const other of node?.pods.values() ?? []) {
    if (other.isTerminating && other.priority < pod.priority && isBeingPreempted(other)) {
      return 'not eligible due to a terminating pod on the nominated node.'
    }
  }
  return undefined
}

function isBeingPreempted(pod: PodInfo): boolean {
  return (pod.pod.status?.conditions ?? []).some(
    ({ type, status, reason }) =>
      type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
  )
}

function victimsOn(
  pod: PodInfo,
  node: NodeInfo,
  cluster: ClusterState,
  { budgets, promisedTo }: PreemptionOptions,
): PreemptionPlan | { reasons: readonly string[] } {
  const lower = [...node.pods.values()].filter((other) => other.priority < pod.priority)
  if (lower.length === 0) return { reasons: [noVictims] }
  // The pod must fit whether those for whom room is being made come or not: it may have affinity to them, too.
  const promised = promisedBefore(pod, node, promisedTo(node))
  const trials = promised.length === 0 ? [node.copy()] : [node.copy(), node.copy()]
  for (const other of promised) trials[1]?.add(other)
  for (const trial of trials) for (const other of lower) trial.remove(other.uid)
  const checks = trials.map((trial) => checker(pod, cluster, trial))
  const check = (): Refusal | undefined => {
    for (const one of checks) {
      const refusal = one()
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
  const refusal = check()
  if (refusal !== undefined) return { reasons: refusal.reasons }
  lower.sort(byImportance)
  const { violating, others } = byBudget(lower, budgets)
  const victims: PodInfo[] = []
  let violations = 0
  // Pods that can stay after all stay, the protected and the important first.
  const keepOrTake = (other: PodInfo): boolean => {
    for (const trial of trials) trial.add(other)
    if (check() === undefined) return true
    for (const trial of trials) trial.remove(other.uid)
    victims.push(other)
    return false
  }
  for (const other of violating) if (!keepOrTake(other)) violations += 1
  for (const other of others) keepOrTake(other)
  victims.sort(byImportance)
  return { node, victims, violations }
}

/** The filters' verdict on the trial node as it is at the time of the call. */
function checker(pod: PodInfo, cluster: ClusterState, trial: NodeInfo): () => Refusal | undefined {
  const view = cluster.with(trial)
  const prepare = () => {
    try {
      return prepareChecks(pod, view)
    } catch (error) {
      if (!(error instanceof PodRefused)) throw error
      const refusal: Refusal = { filter: error.filter, reasons: [error.message], isHopeless: true }
      return () => refusal
    }
  }
  const countsPods =
    cluster.nodesWithTerms.size > 0 ||
    pod.affinity.length > 0 ||
    pod.antiAffinity.length > 0 ||
    pod.spread.length > 0 ||
    pod.claims.length > 0
  if (countsPods) return () => prepare()(trial)
  const check = prepare()
  return () => check(trial)
}

/** The most important first: by priority, then by the longest running. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a) - startOf(b)
}

function startOf(pod: PodInfo): number {
  const start = pod.pod.status?.startTime
  return start === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(start)
}

function byBudget(
  pods: readonly PodInfo[],
  budgets: readonly Budget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const allowed = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]))
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const pod of pods) {
    let isViolating = false
    for (const budget of budgets) {
      if (budget.metadata.namespace !== pod.namespace || Object.keys(pod.labels).length === 0) continue
      const selector = budget.spec?.selector
      if (selector === undefined || !matchesLabels(labelSelectorOf(selector), pod.labels)) continue
      // Counted already when the disruption was granted.
      if (budget.status?.disruptedPods?.[pod.name] !== undefined) continue
      const left = (allowed.get(budget) ?? 0) - 1
      allowed.set(budget, left)
      if (left < 0) isViolating = true
    }
    if (isViolating) violating.push(pod)
    else others.push(pod)
  }
  return { violating, others }
}

function leastHarm(plans: readonly PreemptionPlan[]): PreemptionPlan | undefined {
  let best: { plan: PreemptionPlan; harm: readonly number[] } | undefined
  for (const plan of plans) {
    const { victims } = plan
    const highest = victims[0]?.priority ?? -Infinity
    const harm = [
      plan.violations,
      highest,
      victims.reduce((total, victim) => total + victim.priority, 0),
      victims.length,
      // Of equals, take the node where the important victims have run for the shortest time.
      -Math.min(...victims.filter((victim) => victim.priority === highest).map(startOf)),
    ]
    if (best === undefined || isLess(harm, best.harm)) best = { plan, harm }
  }
  return best?.plan
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
