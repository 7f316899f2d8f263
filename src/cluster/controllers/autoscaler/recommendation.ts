import { type Persisted, type Pod, parseQuantity, quantityToMilli } from '../../../kube/index.ts'
import { MetricMissing } from './metric-missing.ts'
import type { PodUse } from './pod-uses.ts'

// While a pod starts, what it uses says little of its work: settings of Kubernetes' controller manager by their defaults.
const startingMs = 5 * 60_000
const firstReadinessMs = 30_000

/** What use is to be brought to. */
export type Target =
  /** Percent of what the pods ask for. */
  | { readonly percent: number }
  /** For each pod. */
  | { readonly milli: number }

export interface Situation {
  readonly currentReplicas: number
  /** All pods of the workload. */
  readonly pods: readonly Persisted<Pod>[]
  /** By name of the pod. */
  readonly uses: ReadonlyMap<string, PodUse>
  readonly resource: string
  readonly container?: string
  readonly target: Target
  readonly tolerance: Tolerance
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** How far use may be off the target, as a share of it, before anything is done. */
export interface Tolerance {
  readonly up: number
  readonly down: number
}

export interface Recommendation {
  readonly replicas: number
  /** Percent of what was asked for, where that is the target. */
  readonly utilization?: number
  /** Of a pod in the mean. */
  readonly averageMilli: number
}

/**
 * How many replicas would bring use to the target
 * (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details): pods that are not ready and those
 * without metrics are taken to use nothing when that leads to more replicas, and all of the target when it leads to fewer.
 *
 * @throws {MetricMissing} when that cannot be told.
 */
export function recommend(situation: Situation): Recommendation {
  const { currentReplicas, pods, target, tolerance } = situation
  if (pods.length === 0) {
    throw new MetricMissing('no pods returned by selector while calculating replica count')
  }
  const { ready, unready, missing, uses } = grouped(situation)
  if (uses.size === 0) {
    throw new MetricMissing('did not receive metrics for targeted pods (pods might be unready)')
  }
  const requests = 'percent' in target ? requestsOf(situation) : undefined
  const measured = measure(uses, target, requests)
  const keep: Recommendation = { ...measured.shown, replicas: currentReplicas }
  const isWithin = (ratio: number): boolean => 1 - tolerance.down <= ratio && ratio <= 1 + tolerance.up
  const { ratio } = measured
  const countsUnready = unready.length > 0 && ratio > 1
  if (!countsUnready && missing.length === 0) {
    return isWithin(ratio) ? keep : { ...keep, replicas: Math.ceil(ratio * ready) }
  }
  const all = new Map(uses)
  for (const name of missing) {
    if (ratio < 1) all.set(name, assumed(name, target, requests))
    else if (ratio > 1 || requests === undefined) all.set(name, 0)
  }
  if (countsUnready) for (const name of unready) all.set(name, 0)
  const { ratio: corrected } = measure(all, target, requests)
  if (isWithin(corrected) || (ratio < 1 && corrected > 1) || (ratio > 1 && corrected < 1)) return keep
  const replicas = Math.ceil(corrected * all.size)
  // Counting more pods than there are replicas must not turn a step down into one up, nor the other way round.
  const isTurned =
    (corrected < 1 && replicas > currentReplicas) || (corrected > 1 && replicas < currentReplicas)
  return isTurned ? keep : { ...keep, replicas }
}

interface Groups {
  /** Number of pods whose use counts. */
  readonly ready: number
  readonly unready: readonly string[]
  readonly missing: readonly string[]
  /** Of the pods whose use counts, in thousandths. */
  readonly uses: ReadonlyMap<string, number>
}

function grouped({ pods, uses, resource, now }: Situation): Groups {
  const unready: string[] = []
  const missing: string[] = []
  const counted = new Map(Array.from(uses, ([name, { milli }]) => [name, milli]))
  let ready = 0
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const use = uses.get(name)
    const phase = pod.status?.phase
    if (deletionTimestamp !== undefined || phase === 'Failed') counted.delete(name)
    else if (phase === 'Pending' || (use && resource === 'cpu' && isStarting(pod, use, now))) {
      unready.push(name)
      counted.delete(name)
    } else if (use === undefined) missing.push(name)
    else ready += 1
  }
  return { ready, unready, missing, uses: counted }
}

/** Is its use still, or again, that of a program that starts? */
function isStarting(pod: Persisted<Pod>, use: PodUse, now: number): boolean {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  const startedAt = momentOf(pod.status?.startTime)
  const changedAt = momentOf(condition?.lastTransitionTime)
  if (condition === undefined || startedAt === undefined || changedAt === undefined) return true
  const isUnready = condition.status === 'False'
  if (startedAt + startingMs > now) return isUnready || use.at < changedAt + use.windowMs
  return isUnready && startedAt + firstReadinessMs > changedAt
}

function momentOf(time: unknown): number | undefined {
  return typeof time === 'string' ? Date.parse(time) : undefined
}

function requestsOf({ pods, resource, container }: Situation): ReadonlyMap<string, number> {
  return new Map(
    pods.map((pod) => {
      const { name } = pod.metadata
      const lasting = (pod.spec?.initContainers ?? []).filter(
        ({ restartPolicy }) => restartPolicy === 'Always',
      )
      let sum = 0
      for (const one of [...(pod.spec?.containers ?? []), ...lasting]) {
        if (container !== undefined && one.name !== container) continue
        const request = one.resources?.requests?.[resource]
        if (request === undefined) {
          throw new MetricMissing(`missing request for ${resource} in container ${one.name} of Pod ${name}`)
        }
        sum += quantityToMilli(parseQuantity(request))
      }
      return [name, sum]
    }),
  )
}

/** The use that a pod without metrics is taken to have where fewer replicas would follow. */
function assumed(name: string, target: Target, requests: ReadonlyMap<string, number> | undefined): number {
  if (!('percent' in target)) return target.milli
  return Math.trunc(((requests?.get(name) ?? 0) * Math.max(100, target.percent)) / 100)
}

function measure(
  uses: ReadonlyMap<string, number>,
  target: Target,
  requests: ReadonlyMap<string, number> | undefined,
): { readonly ratio: number; readonly shown: Omit<Recommendation, 'replicas'> } {
  let [used, requested, count] = [0, 0, 0]
  for (const [name, milli] of uses) {
    const request = requests?.get(name)
    // Metrics of a pod that is not one of the workload's any more.
    if (requests !== undefined && request === undefined) continue
    used += milli
    requested += request ?? 0
    count += 1
  }
  const averageMilli = Math.trunc(used / count)
  if (!('percent' in target)) return { ratio: averageMilli / target.milli, shown: { averageMilli } }
  if (requested === 0) throw new MetricMissing('no metrics returned matched known pods')
  const utilization = Math.trunc((used * 100) / requested)
  return { ratio: utilization / target.percent, shown: { utilization, averageMilli } }
}
