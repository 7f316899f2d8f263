import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import { CelCompileError } from './errors.ts'

/** The tree of an expression, as the parser makes it; macros are still calls. */
export type Node = ASTNode

const longestExpression = 100_000
const limits = { maxAstNodes: 20_000, maxDepth: 120, maxListElements: 10_000, maxMapEntries: 10_000 }
// Made with the first expression: a cluster without any starts without it.
let parser: Environment | undefined

/** @throws {CelCompileError} for anything that is no expression. */
export function parse(expression: string): Node {
  if (expression.length > longestExpression) {
    throw new CelCompileError(`ERROR: expression is longer than ${longestExpression} characters`)
  }
  try {
    parser ??= new Environment({ enableOptionalTypes: true, unlistedVariablesAreDyn: true, limits })
    return parser.parse(expression).ast
  } catch (error) {
    if (error instanceof ParseError) {
      throw CelCompileError.at(
        expression,
        error.range?.start ?? 0,
        `Syntax error: ${firstLine(error)}`,
        error,
      )
    }
    // Hostile nesting such as thousands of `!` runs the recursive parser out of stack.
    if (error instanceof RangeError) {
      throw new CelCompileError('ERROR: expression is nested too deeply', { cause: error })
    }
    throw error
  }
}

function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] ?? ''
}
