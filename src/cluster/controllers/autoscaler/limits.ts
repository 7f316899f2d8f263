import type { HPAScalingRules } from 'kubernetes-types/autoscaling/v2.js'
import type { Behavior, History, ScaleEvent } from './history.ts'

/** How long fewer replicas must have been enough when an autoscaler does not say. */
export const usualDownWindowMs = 300_000

export interface Wish {
  readonly currentReplicas: number
  readonly desiredReplicas: number
  readonly minReplicas: number
  readonly maxReplicas: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Why a number is what it is, as a condition tells it. */
export interface Ground {
  readonly reason: string
  readonly message: string
}

export interface Limited {
  readonly replicas: number
  /** For the condition `AbleToScale`. */
  readonly able: Ground
  /** For the condition `ScalingLimited`. */
  readonly limited: Ground & { readonly isLimited: boolean }
}

const matches: Ground = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const downStabilized: Ground = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
}
const upStabilized: Ground = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
}
const within: Ground = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
}
const tooFew: Ground = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
}
const tooMany: Ground = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
}
const tooFastUp: Ground = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
}
const tooFastDown: Ground = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
}

/** Brings a recommendation into the bounds of an autoscaler, and remembers it. */
export function limit(wish: Wish, behavior: Behavior | undefined, history: History): Limited {
  const { replicas: steady, ground } = stabilize(wish, behavior, history)
  history.recommend(wish.desiredReplicas, wish.now)
  const able = steady === wish.desiredReplicas ? matches : ground
  const bounded = behavior
    ? bound({ ...wish, desiredReplicas: steady }, behavior, history)
    : boundByHabit({ ...wish, desiredReplicas: steady })
  return {
    replicas: bounded.replicas,
    able,
    limited: { ...bounded.ground, isLimited: bounded.replicas !== steady },
  }
}

/** Up: the lowest of what was lately recommended; down: the highest. */
function stabilize(
  wish: Wish,
  behavior: Behavior | undefined,
  history: History,
): { readonly replicas: number; readonly ground: Ground } {
  const { desiredReplicas, currentReplicas, now } = wish
  if (behavior !== undefined && desiredReplicas >= currentReplicas) {
    const windowMs = (behavior.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000
    const recent = history.recommendedSince(now - windowMs)
    return { replicas: Math.min(desiredReplicas, ...recent), ground: upStabilized }
  }
  const seconds = behavior?.scaleDown?.stabilizationWindowSeconds
  const recent = history.recommendedSince(now - (seconds === undefined ? usualDownWindowMs : seconds * 1000))
  return { replicas: Math.max(desiredReplicas, ...recent), ground: downStabilized }
}

interface Bounded {
  readonly replicas: number
  readonly ground: Ground
}

/** Without a behavior: at most twice as many at a time, or four. */
function boundByHabit({ currentReplicas, desiredReplicas, minReplicas, maxReplicas }: Wish): Bounded {
  const fastest = Math.max(2 * currentReplicas, 4)
  if (desiredReplicas < minReplicas) return { replicas: minReplicas, ground: tooFew }
  if (desiredReplicas <= Math.min(maxReplicas, fastest)) return { replicas: desiredReplicas, ground: within }
  return maxReplicas > fastest
    ? { replicas: fastest, ground: tooFastUp }
    : { replicas: maxReplicas, ground: tooMany }
}

function bound(wish: Wish, behavior: Behavior, history: History): Bounded {
  const { currentReplicas, desiredReplicas, minReplicas, maxReplicas } = wish
  if (desiredReplicas > currentReplicas) {
    const fastest = Math.max(currentReplicas, fastestUp(wish, behavior.scaleUp ?? {}, history))
    const most = Math.min(maxReplicas, fastest)
    if (desiredReplicas > most) {
      return { replicas: most, ground: maxReplicas > fastest ? tooFastUp : tooMany }
    }
  } else if (desiredReplicas < currentReplicas) {
    const fastest = Math.min(currentReplicas, fastestDown(wish, behavior.scaleDown ?? {}, history))
    const least = Math.max(minReplicas, fastest)
    if (desiredReplicas < least) {
      return { replicas: least, ground: minReplicas < fastest ? tooFastDown : tooFew }
    }
  }
  return { replicas: desiredReplicas, ground: within }
}

function fastestUp({ currentReplicas, now }: Wish, rules: HPAScalingRules, history: History): number {
  if (rules.selectPolicy === 'Disabled') return currentReplicas
  const allowed = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = replicasBefore(currentReplicas, history, now - periodSeconds * 1000)
    return type === 'Pods' ? before + value : Math.ceil(before * (1 + value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...allowed) : Math.max(...allowed)
}

function fastestDown({ currentReplicas, now }: Wish, rules: HPAScalingRules, history: History): number {
  if (rules.selectPolicy === 'Disabled') return currentReplicas
  const allowed = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = replicasBefore(currentReplicas, history, now - periodSeconds * 1000)
    return type === 'Pods' ? before - value : Math.trunc(before * (1 - value / 100))
  })
  // The smallest change leaves the most.
  return rules.selectPolicy === 'Min' ? Math.max(...allowed) : Math.min(...allowed)
}

/** How many there were at the beginning of a policy's period, going by what this autoscaler has done since. */
function replicasBefore(current: number, { ups, downs }: History, since: number): number {
  return current - changeSince(ups, since) + changeSince(downs, since)
}

function changeSince(events: readonly ScaleEvent[], since: number): number {
  return events.reduce((sum, { change, at }) => (at > since ? sum + change : sum), 0)
}
