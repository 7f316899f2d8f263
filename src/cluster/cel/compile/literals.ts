import type { Node } from '../syntax.ts'
import * as types from '../types.ts'
import type { Type } from '../types.ts'
import { kindOf, UInt, type Value } from '../values.ts'
import type { Compiled, Compiler } from './compiler.ts'

const mostNegative = 2n ** 63n

export function literal(compiler: Compiler, node: Node, written: unknown): Compiled {
  const value = valueOf(written)
  if (value === undefined || (typeof value === 'bigint' && value >= mostNegative)) {
    throw compiler.error(node, 'Syntax error: int literal out of range')
  }
  return { type: typeOf(value), run: () => value }
}

/**
 * Minus a number written out; undefined for minus anything else. The smallest int is written as minus a number that is
 * no int itself.
 */
export function negative(compiler: Compiler, node: Node, operand: Node): Compiled | undefined {
  if (operand.op !== 'value' || typeof operand.args !== 'bigint') return undefined
  if (operand.args > mostNegative) throw compiler.error(node, 'Syntax error: int literal out of range')
  const value = -operand.args
  return { type: types.int, run: () => value }
}

function valueOf(written: unknown): Value | undefined {
  switch (typeof written) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return written
    default:
      if (written === null) return null
      if (written instanceof Uint8Array) return written
      // The parser's own class for `1u`.
      if (typeof written === 'object' && 'value' in written && typeof written.value === 'bigint') {
        return new UInt(written.value)
      }
      return undefined
  }
}

function typeOf(value: Value): Type {
  return { kind: kindOf(value), ...(typeof value === 'string' && { max: value.length }) }
}
