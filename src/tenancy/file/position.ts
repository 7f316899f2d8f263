import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml'

/** Keys and indexes from the root of a document. */
export type Path = readonly (string | number)[]

/** Where a value (or, with `key`, the key that holds it) stands in the text. */
export interface Position {
  readonly line: number
  readonly column: number
  readonly text: string
}

/** Finds the text of a path; of its nearest ancestor when the path is not written out. */
export function positionOf(
  document: Document,
  lines: LineCounter,
  source: string,
  path: Path,
  options: { key?: boolean } = {},
): Position {
  let node: Node | null = document.contents
  let key: Node | null = null
  for (const step of path) {
    const here: Node | null = isAlias(node) ? (node.resolve(document) ?? null) : node
    if (isMap(here)) {
      const pair = here.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
      if (!isPair(pair)) break
      key = asNode(pair.key)
      node = asNode(pair.value) ?? key
    } else if (isSeq(here)) {
      const item = asNode(here.items[Number(step)])
      if (item === null) break
      key = item
      node = item
    } else break
  }
  const found = options.key ? (key ?? node) : node
  const start = found?.range?.[0] ?? 0
  const end = found?.range?.[1] ?? start
  const { line, col } = lines.linePos(start)
  const firstLine = source.slice(start, end).split('\n', 1)[0] ?? ''
  return { line: Math.max(1, line), column: Math.max(1, col), text: firstLine.trimEnd() }
}

function asNode(value: unknown): Node | null {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : null
}
