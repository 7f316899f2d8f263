import { isDeepStrictEqual } from 'node:util'
import { Document, isMap, isScalar, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml'

/** One change of an organisation file. A value of `undefined` takes the entry out. */
export interface Edit {
  readonly path: readonly string[]
  readonly value: unknown
}

/**
 * Changes entries of a YAML text and leaves everything else as it stands: comments, order, blank lines, alignment. The
 * text must be a valid file.
 */
export function editText(text: string, edits: readonly Edit[]): string {
  // Lines end as in the rest of the file.
  if (text.includes('\r\n') && !/(?<!\r)\n/.test(text)) {
    return editText(text.replaceAll('\r\n', '\n'), edits).replaceAll('\n', '\r\n')
  }
  return edits.reduce(applyEdit, text)
}

function applyEdit(text: string, edit: Edit): string {
  const target = parseDocument(text)
  if (edit.value === undefined) target.deleteIn(edit.path)
  else target.setIn(edit.path, target.createNode(edit.value, { flow: true }))
  const spliced = splice(text, edit)
  // Splicing keeps the text as people wrote it; where the text is too unusual for it, the library rewrites the file.
  if (spliced !== undefined && isSameContent(spliced, target)) return spliced
  return target.toString({ lineWidth: 0 })
}

function isSameContent(text: string, target: Document): boolean {
  const parsed = parseDocument(text)
  return parsed.errors.length === 0 && isDeepStrictEqual(parsed.toJS(), target.toJS())
}

function splice(text: string, { path, value }: Edit): string | undefined {
  const document = parseDocument(text)
  const lastKey = path.at(-1)
  const holder = lastKey === undefined ? undefined : mapAt(document.contents, path.slice(0, -1))
  if (lastKey === undefined) return undefined
  if (holder === undefined) {
    // The mapping is not there yet: write it with the entry in it.
    return path.length > 1 && value !== undefined
      ? splice(text, { path: path.slice(0, -1), value: { [lastKey]: value } })
      : undefined
  }
  const index = holder.items.findIndex((item) => keyText(item) === lastKey)
  const pair = holder.items[index]
  if (value === undefined) return pair === undefined ? text : removePair(text, holder, index)
  if (pair === undefined) return addPair(text, holder, lastKey, value)
  const range = isNode(pair.value) ? pair.value.range : undefined
  if (!range || range[0] === range[1]) return undefined
  return text.slice(0, range[0]) + flowText(value) + text.slice(trimmedEnd(text, range[0], range[1]))
}

function mapAt(root: Node | null, path: readonly string[]): YAMLMap | undefined {
  let node: unknown = root
  for (const step of path) {
    if (!isMap(node)) return undefined
    node = node.items.find((item) => keyText(item) === step)?.value
  }
  return isMap(node) ? node : undefined
}

function addPair(text: string, map: YAMLMap, key: string, value: unknown): string | undefined {
  const last = map.items.at(-1)
  const entry = `${flowText(key)}: ${flowText(value)}`
  if (map.flow) {
    const close = (map.range?.[1] ?? 0) - 1
    if (text[close] !== '}') return undefined
    if (last === undefined) return `${text.slice(0, map.range?.[0])}{ ${entry} }${text.slice(close + 1)}`
    const end = endOf(text, last)
    return end === undefined ? undefined : `${text.slice(0, end)}, ${entry}${text.slice(end)}`
  }
  const end = last === undefined ? undefined : endOf(text, last)
  const start = isNode(map.items[0]?.key) ? map.items[0].key.range?.[0] : undefined
  if (end === undefined || start === undefined) return undefined
  const indent = ' '.repeat(start - lineStart(text, start))
  const at = lineEnd(text, end)
  if (indent === '' && isPlainMapping(value)) {
    // A new section, in the form of the others: one entry on each line.
    const lines = Object.entries(value).map(([name, each]) => `\n  ${flowText(name)}: ${flowText(each)}`)
    return `${text.slice(0, at)}\n\n${flowText(key)}:${lines.join('')}${text.slice(at)}`
  }
  return `${text.slice(0, at)}\n${indent}${entry}${text.slice(at)}`
}

function isPlainMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
}

function removePair(text: string, map: YAMLMap, index: number): string | undefined {
  const pair = map.items[index]
  const start = isNode(pair?.key) ? pair.key.range?.[0] : undefined
  const end = pair === undefined ? undefined : endOf(text, pair)
  if (start === undefined || end === undefined) return undefined
  if (map.items.length === 1) {
    const range = map.flow ? map.range : undefined
    return range ? `${text.slice(0, range[0])}{}${text.slice(range[1])}` : undefined
  }
  if (map.flow) {
    const next = map.items[index + 1]
    const nextStart = isNode(next?.key) ? next.key.range?.[0] : undefined
    if (nextStart !== undefined) return text.slice(0, start) + text.slice(nextStart)
    const previous = map.items[index - 1]
    const previousEnd = previous === undefined ? undefined : endOf(text, previous)
    return previousEnd === undefined ? undefined : text.slice(0, previousEnd) + text.slice(end)
  }
  let from = lineStart(text, start)
  // A comment right above an entry speaks of it; above the first entry it may speak of the whole section.
  if (index > 0) from = startOfComment(text, from)
  return text.slice(0, from) + text.slice(Math.min(text.length, lineEnd(text, end) + 1))
}

function startOfComment(text: string, below: number): number {
  let from = below
  while (from > 0) {
    const above = lineStart(text, from - 1)
    if (!/^\s*#/.test(text.slice(above, from))) break
    from = above
  }
  return from
}

/** Where an entry ends, without the comment and the blank lines behind it. */
function endOf(text: string, pair: Pair<unknown, unknown>): number | undefined {
  const node = isNode(pair.value) && pair.value.range ? pair.value : pair.key
  const range = isNode(node) ? node.range : undefined
  return range ? trimmedEnd(text, range[0], range[1]) : undefined
}

function trimmedEnd(text: string, start: number, end: number): number {
  return start + text.slice(start, end).trimEnd().length
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value
}

function keyText(pair: Pair<unknown, unknown>): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined
}

/** A key or a value on one line, as people write it: `{ uid: 20001 }`. */
function flowText(value: unknown): string {
  return new Document(value, { flow: true }).toString({ lineWidth: 0 }).trimEnd()
}
