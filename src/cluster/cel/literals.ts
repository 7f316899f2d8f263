import type { Node } from './syntax.ts'

/** Words, texts and signs of a source; what stands between is blank or a comment. */
export const tokens =
  /\/\/[^\n]*|[rR]?[bB]?[rR]?("""|''')(?:\\[^]|(?!\1)[^\\])*\1|[bB]?[rR]?"(?:\\.|[^"\\\n])*"|[bB]?[rR]?'(?:\\.|[^'\\\n])*'|\w+|\S/g

export type Literal = Node & { readonly op: 'list' | 'map' }

/** All lists and maps that an expression writes out. */
export function* literalsIn(tree: Node): Generator<Literal> {
  // Chains of operators are long: no recursion.
  const rest: unknown[] = [tree]
  while (rest.length > 0) {
    const one = rest.pop()
    if (Array.isArray(one)) rest.push(...one)
    else if (isNode(one) && one.op !== 'value') {
      if (one.op === 'list' || one.op === 'map') yield one
      rest.push(one.args)
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
