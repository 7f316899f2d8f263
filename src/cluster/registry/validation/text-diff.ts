const context = 3

interface Edit {
  readonly isSame: boolean
  /** Lines `[from, to)` of the old and of the new text. */
  readonly old: readonly [number, number]
  readonly new: readonly [number, number]
}

/**
 * The difference of two values as a unified diff of their JSON, as Kubernetes explains what a change of an immutable
 * structure would have changed. Empty when there is none.
 */
export function jsonDiff(before: unknown, after: unknown): string {
  const old = JSON.stringify(before, null, 1).split('\n')
  const now = JSON.stringify(after, null, 1).split('\n')
  return hunks(edits(old, now))
    .map((hunk) => hunkText(hunk, old, now))
    .join('')
}

/** Equal and changed stretches in turn. */
function edits(old: readonly string[], now: readonly string[]): Edit[] {
  const found: Edit[] = []
  let [oldAt, newAt] = [0, 0]
  const upTo = (oldEnd: number, newEnd: number): void => {
    if (oldAt < oldEnd || newAt < newEnd) {
      found.push({ isSame: false, old: [oldAt, oldEnd], new: [newAt, newEnd] })
    }
    ;[oldAt, newAt] = [oldEnd, newEnd]
  }
  for (const [oldStart, newStart, length] of commonBlocks(old, now, [0, old.length], [0, now.length])) {
    upTo(oldStart, newStart)
    const last = found.at(-1)
    const begin: [number, number] = last?.isSame ? [last.old[0], last.new[0]] : [oldAt, newAt]
    if (last?.isSame) found.pop()
    found.push({
      isSame: true,
      old: [begin[0], oldStart + length],
      new: [begin[1], newStart + length],
    })
    ;[oldAt, newAt] = [oldStart + length, newStart + length]
  }
  upTo(old.length, now.length)
  return found
}

/** The longest common stretch, and in the same way what is before and behind it. */
function commonBlocks(
  old: readonly string[],
  now: readonly string[],
  [oldFrom, oldTo]: readonly [number, number],
  [newFrom, newTo]: readonly [number, number],
): [number, number, number][] {
  let best: [number, number, number] = [oldFrom, newFrom, 0]
  let lengths = new Map<number, number>()
  for (let i = oldFrom; i < oldTo; i++) {
    const next = new Map<number, number>()
    for (let j = newFrom; j < newTo; j++) {
      if (old[i] !== now[j]) continue
      const length = (lengths.get(j - 1) ?? 0) + 1
      next.set(j, length)
      if (length > best[2]) best = [i - length + 1, j - length + 1, length]
    }
    lengths = next
  }
  const [i, j, length] = best
  if (length === 0) return []
  return [
    ...commonBlocks(old, now, [oldFrom, i], [newFrom, j]),
    best,
    ...commonBlocks(old, now, [i + length, oldTo], [j + length, newTo]),
  ]
}

/** Changes with their surroundings; changes close to each other share theirs. */
function hunks(all: readonly Edit[]): Edit[][] {
  const groups: Edit[][] = []
  let group: Edit[] = []
  for (const [index, edit] of all.entries()) {
    if (!edit.isSame) {
      group.push(edit)
      continue
    }
    const length = edit.old[1] - edit.old[0]
    const isFirst = index === 0
    const isLast = index === all.length - 1
    if (!isFirst && !isLast && length <= 2 * context) {
      group.push(edit)
      continue
    }
    if (!isFirst) {
      group.push(cut(edit, 0, Math.min(length, context)))
      groups.push(group)
    }
    group = isLast ? [] : [cut(edit, Math.max(0, length - context), length)]
  }
  if (group.some((edit) => !edit.isSame)) groups.push(group)
  return groups
}

function cut({ old, new: now }: Edit, from: number, to: number): Edit {
  return {
    isSame: true,
    old: [old[0] + from, old[0] + to],
    new: [now[0] + from, now[0] + to],
  }
}

function hunkText(hunk: readonly Edit[], old: readonly string[], now: readonly string[]): string {
  const [first, last] = [hunk[0], hunk.at(-1)]
  if (first === undefined || last === undefined) return ''
  const lines = [`@@ -${range(first.old[0], last.old[1])} +${range(first.new[0], last.new[1])} @@`]
  for (const edit of hunk) {
    if (edit.isSame) {
      lines.push(...old.slice(...edit.old).map((line) => ` ${line}`))
    } else {
      lines.push(...old.slice(...edit.old).map((line) => `-${line}`))
      lines.push(...now.slice(...edit.new).map((line) => `+${line}`))
    }
  }
  return `${lines.join('\n')}\n`
}

function range(from: number, to: number): string {
  const length = to - from
  if (length === 1) return `${from + 1}`
  return `${length === 0 ? from : from + 1},${length}`
}
