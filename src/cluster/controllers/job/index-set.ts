/** Completion indexes of an Indexed job as `1,3-5,7`: ordered, without overlap, as the job's status writes them. */
export interface IndexRange {
  readonly first: number
  readonly last: number
}

export type IndexSet = readonly IndexRange[]

export const noIndexes: IndexSet = []

/** Reads a set; indexes from `completions` on are left out, what cannot be read is skipped. */
export function parseIndexes(text: string | undefined, completions: number): IndexSet {
  const ranges: IndexRange[] = []
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (match === null) continue
    const first = Number(match[1])
    if (first >= completions) break
    ranges.push({ first, last: Math.min(Number(match[2] ?? match[1]), completions - 1) })
  }
  return union(ranges, [])
}

export function formatIndexes(set: IndexSet): string {
  return set
    .map(({ first, last }) =>
      first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`,
    )
    .join(',')
}

export function withIndexes(set: IndexSet, indexes: Iterable<number>): IndexSet {
  const added = [...new Set(indexes)].sort((a, b) => a - b).map((index) => ({ first: index, last: index }))
  return union(set, added)
}

export function union(a: IndexSet, b: IndexSet): IndexSet {
  const result: { first: number; last: number }[] = []
  for (const { first, last } of [...a, ...b].sort((x, y) => x.first - y.first)) {
    const previous = result.at(-1)
    if (previous === undefined || first > previous.last + 1) result.push({ first, last })
    else previous.last = Math.max(previous.last, last)
  }
  return result
}

export function countIndexes(set: IndexSet): number {
  return set.reduce((total, { first, last }) => total + last - first + 1, 0)
}

export function hasIndex(set: IndexSet, index: number): boolean {
  return set.some(({ first, last }) => first <= index && index <= last)
}

/** How many indexes both sets have. */
export function countCommon(a: IndexSet, b: IndexSet): number {
  let common = 0
  for (const x of a) {
    for (const y of b) common += Math.max(0, Math.min(x.last, y.last) - Math.max(x.first, y.first) + 1)
  }
  return common
}

/** The lowest indexes below `completions` that are not in the set. */
export function firstMissing(set: IndexSet, count: number, completions: number): number[] {
  const missing: number[] = []
  let candidate = 0
  for (const { first, last } of set) {
    for (; candidate < first && candidate < completions && missing.length < count; candidate += 1) {
      missing.push(candidate)
    }
    candidate = Math.max(candidate, last + 1)
  }
  for (; candidate < completions && missing.length < count; candidate += 1) missing.push(candidate)
  return missing
}
