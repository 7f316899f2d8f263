import type { Path } from '../position.ts'

export interface Finding {
  readonly path: Path
  readonly message: string
  readonly hint?: string
  /** The fault is in the key, not in its value. */
  readonly inKey?: boolean
}

/** Takes what a check found. */
export type Report = (finding: Finding) => void

/** `; did you mean "dev1"?`, when one of the known names is a slip of the finger away. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue
    const distance = editDistance(name, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

/** Reports ids that are taken twice. */
export function reportTakenTwice(
  report: Report,
  entries: Iterable<{ id: number; path: Path; what: string }>,
): void {
  const taken = new Map<number, string>()
  for (const { id, path, what } of entries) {
    const holder = taken.get(id)
    if (holder === undefined) taken.set(id, what)
    else {
      report({
        path,
        message: `${what} has the id ${id}, which ${holder} has already`,
        hint: 'give each an id of its own',
      })
    }
  }
}
