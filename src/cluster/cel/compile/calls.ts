import { type CelCompileError, CelEvaluationError } from '../errors.ts'
import type { CelFunction } from '../function.ts'
import { operatorNames } from '../operators.ts'
import { checkPattern } from '../regex.ts'
import { dottedPath, type Node } from '../syntax.ts'
import { parseDuration, parseTimestamp } from '../time.ts'
import * as types from '../types.ts'
import type { Compiled, Compiler, Locals } from './compiler.ts'
import { has } from './fields.ts'
import { isDeclared } from './identifiers.ts'
import { compileMacro } from './macros.ts'
import { apply, noOverload } from './overloads.ts'

/** An operator is a function under another name. */
export function operator(
  compiler: Compiler,
  node: Node,
  operands: readonly Node[],
  locals: Locals,
): Compiled {
  const name = operatorNames[node.op] ?? node.op
  const found = declared(compiler, node, name)
  const compiled = compileAll(compiler, operands, locals)
  if (node.op === '==' || node.op === '!=') checkComparable(compiler, node, name, compiled)
  return apply(compiler, node, found, compiled)
}

/** `name(args)` */
export function call(
  compiler: Compiler,
  node: Node,
  [name, args]: readonly [string, readonly Node[]],
  locals: Locals,
): Compiled {
  if (name === 'has') return has(compiler, node, args, locals)
  const found = declared(compiler, node, name)
  checkTime(compiler, name, args)
  return apply(compiler, node, found, compileAll(compiler, args, locals))
}

/** `target.name(args)`, where the target may be a namespace of functions, and the call a macro. */
export function methodCall(
  compiler: Compiler,
  node: Node,
  [name, target, args]: readonly [string, Node, readonly Node[]],
  locals: Locals,
): Compiled {
  const path = dottedPath(target)
  if (path !== undefined && !isDeclared(compiler, path, locals)) {
    if (path === 'cel' && name === 'bind') return compileMacro(compiler, 'bind', { node, args, locals })
    const found = compiler.environment.function(`${path}.${name}`, { isMethod: false })
    if (found !== undefined) return apply(compiler, node, found, compileAll(compiler, args, locals))
  }
  const macro = compileMacro(compiler, name, { node, target, args, locals })
  if (macro !== undefined) return macro
  // The operands' own errors come first.
  const operands = compileAll(compiler, [target, ...args], locals)
  const found = compiler.environment.function(name, { isMethod: true })
  if (found === undefined) throw undeclared(compiler, node, name)
  if (name === 'matches' || name === 'find' || name === 'findAll') checkMatched(compiler, node, args[0])
  return apply(compiler, node, found, operands)
}

function compileAll(compiler: Compiler, nodes: readonly Node[], locals: Locals): Compiled[] {
  return nodes.map((node) => compiler.compile(node, locals))
}

function declared(compiler: Compiler, node: Node, name: string): CelFunction {
  const found = compiler.environment.function(name, { isMethod: false })
  if (found === undefined) throw undeclared(compiler, node, name)
  return found
}

function undeclared(compiler: Compiler, node: Node, name: string): CelCompileError {
  return compiler.error(node, `undeclared reference to '${name}' (in container '')`)
}

const comparableToTheirOwn = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'timestamp',
  'duration',
  'list',
  'map',
])

function checkComparable(compiler: Compiler, node: Node, name: string, operands: readonly Compiled[]): void {
  const [left = types.dyn, right = types.dyn] = operands.map(({ type }) => type)
  const arePlain = comparableToTheirOwn.has(left.kind) && comparableToTheirOwn.has(right.kind)
  if (arePlain && left.kind !== right.kind) throw noOverload(compiler, node, name, [left, right])
}

/** What is written out and is no time is refused at once, and not when it is met. */
function checkTime(compiler: Compiler, name: string, [text]: readonly Node[]): void {
  if (text?.op !== 'value' || typeof text.args !== 'string') return
  const read = name === 'duration' ? parseDuration : name === 'timestamp' ? parseTimestamp : undefined
  if (read && !isReadable(read, text.args)) throw compiler.error(text, `invalid ${name} argument`)
}

function isReadable(read: (text: string) => unknown, text: string): boolean {
  try {
    return read(text) !== undefined
  } catch (error) {
    // Well written, and beyond what there is.
    if (error instanceof CelEvaluationError) return false
    throw error
  }
}

function checkMatched(compiler: Compiler, node: Node, pattern: Node | undefined): void {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return
  const complaint = checkPattern(pattern.args)
  if (complaint !== undefined) throw compiler.error(node, `invalid matches argument: ${complaint}`)
}
