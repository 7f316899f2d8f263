import { isDeepStrictEqual } from 'node:util'
import { parseDocument } from 'yaml'
import { type Edit, editText } from './edit.ts'

/** What one edit took out of a file, in whole lines, with enough around it to find the place again. */
export interface Cut {
  readonly path: readonly string[]
  readonly above: readonly string[]
  readonly taken: readonly string[]
  /** What stands there since; nothing where whole lines went. */
  readonly left: readonly string[]
  readonly below: readonly string[]
}

/** How many lines on either side are kept to find a place again. */
const surroundingLines = 3

/** Edits a text as {@link editText} does, and says what that took out. */
export function cutText(
  text: string,
  edits: readonly Edit[],
): { readonly text: string; readonly cuts: readonly Cut[] } {
  const cuts: Cut[] = []
  let now = text
  for (const edit of edits) {
    const next = editText(now, [edit])
    if (next !== now) cuts.push(cutBetween(edit.path, now.split('\n'), next.split('\n')))
    now = next
  }
  return { text: now, cuts }
}

function cutBetween(path: readonly string[], before: readonly string[], after: readonly string[]): Cut {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start += 1
  let same = 0
  while (same < shorter - start && before.at(-1 - same) === after.at(-1 - same)) same += 1
  const end = after.length - same
  return {
    path,
    above: after.slice(Math.max(0, start - surroundingLines), start),
    taken: before.slice(start, before.length - same),
    left: after.slice(start, end),
    below: after.slice(end, end + surroundingLines),
  }
}

/**
 * Makes edits that bring back what was cut out: with its comments where it was, if that place still looks as it was left;
 * else as any new entry, at the end of its section. Names those entries.
 */
export function mendText(
  text: string,
  edits: readonly Edit[],
  cuts: readonly Cut[],
): { readonly text: string; readonly misplaced: readonly string[] } {
  const misplaced: string[] = []
  let now = text
  // The last cut was made in what the earlier ones had left.
  for (const edit of edits.toReversed()) {
    const plain = editText(now, [edit])
    const cut = cuts.find(({ path }) => isDeepStrictEqual(path, edit.path))
    const mended = cut === undefined ? undefined : putBack(now, cut)
    // A place that only looks like it would make another file.
    if (mended !== undefined && isSameContent(mended, plain)) {
      now = mended
    } else {
      now = plain
      misplaced.push(edit.path.join('.'))
    }
  }
  return { text: now, misplaced: misplaced.toReversed() }
}

function putBack(text: string, cut: Cut): string | undefined {
  const lines = text.split('\n')
  for (const around of [surroundingLines, 1]) {
    const above = cut.above.slice(-around)
    const pattern = [...above, ...cut.left, ...cut.below.slice(0, around)]
    const places = lines.flatMap((_, at) =>
      pattern.every((line, offset) => lines[at + offset] === line) ? [at + above.length] : [],
    )
    const [place] = places
    if (place === undefined || places.length > 1) continue
    return [...lines.slice(0, place), ...cut.taken, ...lines.slice(place + cut.left.length)].join('\n')
  }
  return undefined
}

function isSameContent(text: string, expected: string): boolean {
  const parsed = parseDocument(text)
  return parsed.errors.length === 0 && isDeepStrictEqual(parsed.toJS(), parseDocument(expected).toJS())
}
