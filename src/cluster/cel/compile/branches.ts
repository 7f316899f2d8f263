import { noSuchOverload } from '../errors.ts'
import * as steps from '../steps.ts'
import type { Node } from '../syntax.ts'
import * as types from '../types.ts'
import type { Compiled, Compiler, Locals } from './compiler.ts'

/** `test ? yes : no` */
export function conditional(
  compiler: Compiler,
  [test, yes, no]: readonly [Node, Node, Node],
  locals: Locals,
): Compiled {
  const condition = compiler.condition(test, locals)
  const [left, right] = [compiler.compile(yes, locals), compiler.compile(no, locals)]
  return {
    type: types.commonType(left.type, right.type),
    run: (frame) => {
      const value = condition.run(frame)
      if (typeof value !== 'boolean') throw noSuchOverload()
      return value ? left.run(frame) : right.run(frame)
    },
  }
}

/** `a || b || c` as one step: long chains are common and must not nest. */
export function logical(
  compiler: Compiler,
  node: Node & { readonly op: '||' | '&&' },
  locals: Locals,
): Compiled {
  const parts: Node[] = []
  let rest: Node = node
  while (rest.op === node.op) {
    const [left, right] = rest.args as readonly [Node, Node]
    parts.unshift(right)
    rest = left
  }
  parts.unshift(rest)
  const runs = parts.map((part) => compiler.condition(part, locals).run)
  return { type: types.bool, run: steps.logical(runs, node.op === '||') }
}
