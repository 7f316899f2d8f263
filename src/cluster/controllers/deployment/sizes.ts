import type { Generation, Owner, OwnerSpec } from './template.ts'

export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas'
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas'

/** How many pods a rollout may have beyond what is wanted, and how many may be missing. */
export interface Fenceposts {
  readonly surge: number
  readonly unavailable: number
}

export function fenceposts(spec: OwnerSpec | undefined): Fenceposts {
  const { replicas = 1, strategy } = spec ?? {}
  if (strategy?.type !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
  const { maxSurge = 0, maxUnavailable = 0 } = strategy.rollingUpdate ?? {}
  const surge = shareOf(maxSurge, replicas, Math.ceil)
  const missing = shareOf(maxUnavailable, replicas, Math.floor)
  // Percentages of few pods may both come to nothing, and then nothing could ever move.
  const unavailable = surge === 0 && missing === 0 ? 1 : missing
  return { surge, unavailable: Math.min(unavailable, replicas) }
}

function shareOf(amount: number | string, total: number, round: (value: number) => number): number {
  return typeof amount === 'number' ? amount : round((Number.parseInt(amount, 10) * total) / 100)
}

/** What the replica set had to come to when it was last scaled; undefined when it does not say. */
export function noted(set: Generation, what: 'desired' | 'max'): number | undefined {
  const text = set.metadata.annotations?.[what === 'desired' ? desiredAnnotation : maxAnnotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

export function sizeNotes(owner: Owner): Record<string, string> {
  const replicas = owner.spec?.replicas ?? 1
  return {
    [desiredAnnotation]: String(replicas),
    [maxAnnotation]: String(replicas + fenceposts(owner.spec).surge),
  }
}

export const sizeOf = (set: Generation): number => set.spec?.replicas ?? 1
export const total = (sets: readonly Generation[], count: (set: Generation) => number): number =>
  sets.reduce((sum, set) => sum + count(set), 0)
export const availableOf = (set: Generation): number => set.status?.availableReplicas ?? 0
export const active = (sets: readonly Generation[]): Generation[] => sets.filter((set) => sizeOf(set) > 0)

/** The size for the newest replica set, itself of `current` pods, given all replica sets with it. */
export function newestSize(owner: Owner, all: readonly Generation[], current: number): number {
  const { replicas = 1, strategy } = owner.spec ?? {}
  if (strategy?.type !== 'RollingUpdate') return replicas
  const room = replicas + fenceposts(owner.spec).surge - total(all, sizeOf)
  return room <= 0 ? current : current + Math.min(room, replicas - current)
}

/** A replica set and the size that it shall have. */
export interface Resize {
  readonly set: Generation
  readonly size: number
}

/** How far old replica sets can go down now: pods that are not there anyway first, then as many as may be missed. */
export function shrinkOld(
  owner: Owner,
  newest: Generation | undefined,
  old: readonly Generation[],
): Resize[] {
  const everything = newest ? [...old, newest] : [...old]
  const least = (owner.spec?.replicas ?? 1) - fenceposts(owner.spec).unavailable
  const missing = newest ? sizeOf(newest) - availableOf(newest) : 0
  const most = total(everything, sizeOf) - least - missing
  if (most <= 0 || total(old, sizeOf) === 0) return []
  const sizes = new Map(byAge(old).map((set) => [set, sizeOf(set)]))
  let left = most
  for (const [set, size] of sizes) {
    const unhealthy = Math.min(left, size - availableOf(set))
    if (unhealthy <= 0) continue
    sizes.set(set, size - unhealthy)
    left -= unhealthy
  }
  let spare = total(everything, availableOf) - least
  for (const [set, size] of sizes) {
    const fewer = Math.min(size, spare)
    if (fewer <= 0) continue
    sizes.set(set, size - fewer)
    spare -= fewer
  }
  return [...sizes].map(([set, size]) => ({ set, size }))
}

/** When a deployment is scaled in the middle of a rollout, every replica set gets its share. */
export function proportionalSizes(owner: Owner, sets: readonly Generation[]): Resize[] {
  const { replicas = 1 } = owner.spec ?? {}
  const allowed = replicas > 0 ? replicas + fenceposts(owner.spec).surge : 0
  const toAdd = allowed - total(sets, sizeOf)
  const sorted = bySize(sets, toAdd > 0)
  let added = 0
  const sizes = sorted.map((set) => {
    const share = toAdd === 0 ? 0 : proportion(owner, set, allowed, toAdd - added)
    added += share
    return { set, size: sizeOf(set) + share }
  })
  // What rounding leaves goes to the largest.
  return sizes.map(({ set, size }, index) => ({
    set,
    size: index === 0 ? Math.max(0, size + toAdd - added) : size,
  }))
}

function proportion(owner: Owner, set: Generation, allowed: number, left: number): number {
  if (left === 0) return 0
  const size = sizeOf(set)
  const before = noted(set, 'max') || owner.status?.replicas || allowed
  const share = allowed === 0 ? -size : Math.round((size * allowed) / before) - size
  return left > 0 ? Math.min(share, left) : Math.max(share, left)
}

function bySize(sets: readonly Generation[], newerFirst: boolean): Generation[] {
  const aged = newerFirst ? byAge(sets).reverse() : byAge(sets)
  return aged.sort((a, b) => sizeOf(b) - sizeOf(a))
}

/** The eldest first. */
export function byAge(sets: readonly Generation[]): Generation[] {
  return [...sets].sort((a, b) => {
    const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp]
    if (left !== right) return left < right ? -1 : 1
    return a.metadata.name < b.metadata.name ? -1 : 1
  })
}
