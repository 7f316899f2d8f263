import { estimateCost } from '../cost.ts'
import type { Environment } from '../environment.ts'
import { Program } from '../program.ts'
import { parse } from '../syntax.ts'
import { Compiler } from './compiler.ts'

/**
 * Compiles an expression of the Common Expression Language
 * (https://kubernetes.io/docs/reference/using-api/cel/).
 *
 * @throws {CelCompileError} for wrong syntax, unknown names and operands that no operator takes.
 */
export function compile(expression: string, environment: Environment): Program {
  const compiler = new Compiler(expression, environment)
  const tree = parse(expression)
  const { type, run } = compiler.compile(tree, new Map())
  const cost = estimateCost(tree, compiler.types)
  return new Program(expression, { type, variables: compiler.variables, cost }, run)
}
