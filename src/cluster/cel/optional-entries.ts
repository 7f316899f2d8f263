import { type Literal, literalsIn, tokens } from './literals.ts'
import type { Node } from './syntax.ts'

/**
 * Optional entries of lists and maps, `[?x]` and `{?k: v}`: the parser does not know them, so it is given the source with
 * a blank for each such question mark, and is told afterwards which entries had one.
 */
export interface Marked {
  /** As long as the source, so that places are the same. */
  readonly plain: string
  /** Where the question marks were. */
  readonly marks: readonly number[]
}

// A literal opens where no operand has just ended: after one, a bracket is an index.
const quoted = /["']$/
const operandEnd = /^[\w)\]}]$|^\w+$|["']$/

/** Takes the question marks of optional entries out. */
export function withoutMarks(source: string): Marked {
  if (!source.includes('?')) return { plain: source, marks: [] }
  const marks: number[] = []
  const open: ('entries' | 'other')[] = []
  let before = ''
  for (const match of source.matchAll(tokens)) {
    const [token] = match
    if (token.startsWith('//')) continue
    // A text without an end: the parser will say so, and searching on from every quote would take forever.
    if (token === '"' || token === "'") break
    const isEntry = open.at(-1) === 'entries' && (before === '[' || before === '{' || before === ',')
    if (token === '?' && isEntry) {
      marks.push(match.index)
      // What comes next begins the entry: it cannot be another mark.
      before = ''
      continue
    }
    if (token === '[') open.push(before !== 'in' && operandEnd.test(before) ? 'other' : 'entries')
    else if (token === '{') open.push('entries')
    else if (token === '(') open.push('other')
    else if (!quoted.test(token) && (token === ']' || token === '}' || token === ')')) open.pop()
    before = token
  }
  if (marks.length === 0) return { plain: source, marks }
  const ends = [...marks, source.length]
  const plain = ends.map((end, at) => source.slice(at === 0 ? 0 : (ends[at - 1] ?? 0) + 1, end)).join(' ')
  return { plain, marks }
}

const optional = new WeakSet<Node>()

/** Whether an element of a list, or the key of an entry of a map, had a question mark. */
export function isOptionalEntry(entry: Node): boolean {
  return optional.has(entry)
}

/** Finds the entries that the marks stand before. */
export function noteOptionalEntries(tree: Node, marks: readonly number[]): void {
  if (marks.length === 0) return
  for (const literal of literalsIn(tree)) note(literal, marks)
}

function note(literal: Literal, marks: readonly number[]): void {
  let end = literal.start
  const entries: readonly (readonly [first: Node, last: Node])[] =
    literal.op === 'list'
      ? literal.args.map((item) => [item, item] as const)
      : literal.args.map(([key, value]) => [key, value] as const)
  for (const [first, last] of entries) {
    const mark = firstFrom(marks, end)
    if (mark !== undefined && mark < first.start) optional.add(first)
    end = last.end
  }
}

/** The first of the ascending marks that is not before a place. */
function firstFrom(marks: readonly number[], place: number): number | undefined {
  let [low, high] = [0, marks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((marks[middle] ?? 0) < place) low = middle + 1
    else high = middle
  }
  return marks[low]
}
