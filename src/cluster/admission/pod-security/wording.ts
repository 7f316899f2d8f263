import type { Violation } from './subject.ts'

/** `reason (detail), reason (detail)`. */
export function describe(found: readonly Violation[]): string {
  return found.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')
}

/** `container "a"`, `containers "a", "b"`. */
export function named(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoted(names)}`
}

/** Who set a bad value: the pod itself, containers, or both. */
export function setters(byPod: boolean, containers: readonly string[]): string[] {
  return [...(byPod ? ['pod'] : []), ...(containers.length > 0 ? [named(containers)] : [])]
}

export function quoted(items: Iterable<string>): string {
  return `"${[...items].join('", "')}"`
}

export function plural(one: string, count: number): string {
  return count === 1 ? one : `${one}s`
}
