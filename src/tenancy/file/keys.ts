import { type Document, isPair, isScalar, type LineCounter, type Node, visit } from 'yaml'
import type { Fault } from './fault.ts'

// Schema validation leaves these out without a word, as objects must not be made from them.
const unusable = new Set(['__proto__', 'constructor', 'prototype'])

/** Reports keys that cannot be used, and keys that stand twice in one mapping, and takes the second out. */
export function checkKeys(document: Document, lines: LineCounter, report: (fault: Fault) => void): void {
  const placeOf = ({ range }: Node): { line: number; column: number } => {
    const { line, col } = lines.linePos(range?.[0] ?? 0)
    return { line, column: col }
  }
  visit(document, {
    Map(_, map, ancestors) {
      const first = new Map<string, Node>()
      map.items = map.items.filter(({ key }) => {
        if (!isScalar(key)) return true
        const name = String(key.value)
        if (unusable.has(name)) {
          report({ message: `"${name}" is a name that cannot be used`, ...placeOf(key), text: '' })
        }
        const earlier = first.get(name)
        first.set(name, earlier ?? key)
        if (earlier === undefined) return true
        report({
          message: `${[...keysOf(ancestors), name].join('.')} stands twice; the first is on line ${placeOf(earlier).line}`,
          ...placeOf(key),
          text: name,
          hint: 'keep one of the two',
        })
        return false
      })
    },
  })
}

function keysOf(ancestors: readonly unknown[]): string[] {
  return ancestors.flatMap((each) => (isPair(each) && isScalar(each.key) ? [String(each.key.value)] : []))
}
