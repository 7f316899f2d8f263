import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import { CelCompileError } from './errors.ts'
import { noteTypeNames, withoutTypeNames } from './made-objects.ts'
import { noteOptionalEntries, withoutMarks } from './optional-entries.ts'

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
    const named = withoutTypeNames(expression)
    const { plain, marks } = withoutMarks(named.plain)
    const tree = parser.parse(plain).ast
    noteOptionalEntries(tree, marks)
    noteTypeNames(tree, named.names)
    return tree
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

/** `a.b.c` of nothing but names; undefined for anything else. */
export function dottedPath(node: Node): string | undefined {
  if (node.op === 'id') return node.args
  if (node.op !== '.') return undefined
  const path = dottedPath(node.args[0])
  return path === undefined ? undefined : `${path}.${node.args[1]}`
}

/** Where cel-go places an error of a node: at its operator, its dot or its opening parenthesis. */
export function placeOf(node: Node, source: string): number {
  const after = (text: string, from: number): number => {
    const at = source.indexOf(text, from)
    return at < 0 ? node.pos : at
  }
  switch (node.op) {
    case 'value':
    case 'id':
    case 'list':
    case 'map':
    case '!_':
    case '-_':
      return node.pos
    case '.':
    case '.?':
      return after('.', node.args[0].end)
    case '[]':
    case '[?]':
      return after('[', node.args[0].end)
    case 'call':
      return after('(', node.start)
    case 'rcall':
      return after('(', after(node.args[0], node.args[1].end))
    case '?:':
      return after('?', node.args[0].end)
    default:
      return after(node.op, node.args[0].end)
  }
}

/** The first name of a path. */
export function rootOf(path: string): string {
  return path.split('.', 1)[0] ?? ''
}
