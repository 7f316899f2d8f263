import { canonicalQuantity } from '../../kube/index.ts'

export interface Difference {
  readonly path: readonly string[]
  readonly desired: unknown
  readonly live: unknown
}

/**
 * Fields of `desired` that the live object does not have. Fields beyond `desired` belong to others and are left alone,
 * except below the paths of `exact`: there anything more would widen rights or change limits.
 */
export function differences(
  desired: unknown,
  live: unknown,
  exact: readonly string[],
  path: readonly string[] = [],
): Difference[] {
  if (isMapping(desired) && isMapping(live)) {
    const found = Object.entries(desired).flatMap(([key, value]) =>
      value === undefined ? [] : differences(value, live[key], exact, [...path, key]),
    )
    if (exact.includes(path.join('.'))) {
      for (const [key, value] of Object.entries(live)) {
        if (desired[key] === undefined) found.push({ path: [...path, key], desired: undefined, live: value })
      }
    }
    return found
  }
  return isSame(desired, live, path) ? [] : [{ path, desired, live }]
}

const quantityHolders = /^spec\.(?:hard|capacity|resources\.requests)\./

function isSame(desired: unknown, live: unknown, path: readonly string[]): boolean {
  if (Array.isArray(desired)) {
    return (
      Array.isArray(live) &&
      live.length === desired.length &&
      desired.every((item, index) => isSame(item, live[index], path))
    )
  }
  if (isMapping(desired)) {
    if (!isMapping(live)) return false
    const keys = new Set([...Object.keys(desired), ...Object.keys(live)])
    return [...keys].every((key) => isSame(desired[key], live[key], path))
  }
  if (desired === live) return true
  // `false`, `""` and an absent field are one for the wire.
  if (live === undefined) return desired === '' || desired === false
  if (typeof desired === 'string' && typeof live === 'string' && quantityHolders.test(path.join('.'))) {
    return canonicalQuantity(desired) === canonicalQuantity(live)
  }
  return false
}

/** `spec.hard.cpu: 4 -> 8` */
export function describeDifference(difference: Difference): string {
  const { live, desired } = difference
  if (Array.isArray(live) && Array.isArray(desired)) {
    const before = live.map(itemName)
    const after = desired.map(itemName)
    const changed = [
      ...after.filter((name) => !before.includes(name)).map((name) => `+ ${name}`),
      ...before.filter((name) => !after.includes(name)).map((name) => `- ${name}`),
    ]
    const shownOnes = changed.slice(0, 10).join(', ') + (changed.length > 10 ? ', ...' : '')
    return `${difference.path.join('.')}: ${shownOnes || 'another order'}`
  }
  return `${difference.path.join('.')}: ${shown(difference.live)} -> ${shown(difference.desired)}`
}

/** A person or thing of a list, by its name where it has one. */
function itemName(item: unknown): string {
  if (isMapping(item) && typeof item['name'] === 'string') {
    return typeof item['namespace'] === 'string' ? `${item['namespace']}/${item['name']}` : item['name']
  }
  return shown(item)
}

function shown(value: unknown): string {
  if (value === undefined) return '(none)'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
