import type { Environment } from '../environment.ts'
import { CelCompileError } from '../errors.ts'
import type { Run } from '../program.ts'
import { type Node, placeOf } from '../syntax.ts'
import * as types from '../types.ts'
import type { Type } from '../types.ts'
import { conditional, logical } from './branches.ts'
import { call, methodCall, operator } from './calls.ts'
import { list, map } from './collections.ts'
import { index, optionalIndex, optionalSelect, select } from './fields.ts'
import { literal, negative } from './literals.ts'
import { object } from './objects.ts'
import { identifier } from './identifiers.ts'

/** An expression ready to run, with what is known of its results. */
export interface Compiled {
  readonly type: Type
  readonly run: Run
}

/** Names bound by enclosing macros. */
export type Locals = ReadonlyMap<string, { readonly type: Type; readonly slot: number }>

// A chain of operators this long would run the evaluator out of stack.
const deepest = 600

/**
 * One compilation: turns nodes into functions, checking types on the way as far as they are known. Each family of nodes
 * is a file beside this one, whose functions come back here for their operands.
 */
export class Compiler {
  /** What is known of each part. */
  readonly types = new Map<Node, Type>()
  /** Variables of the environment met so far. */
  readonly variables = new Set<string>()
  readonly environment: Environment
  readonly #source: string
  #depth = 0

  constructor(source: string, environment: Environment) {
    this.#source = source
    this.environment = environment
  }

  compile(node: Node, locals: Locals): Compiled {
    if (++this.#depth > deepest) throw this.error(node, 'expression is nested too deeply')
    try {
      const compiled = this.#compile(node, locals)
      this.types.set(node, compiled.type)
      return compiled
    } finally {
      this.#depth--
    }
  }

  /** Compiles and insists on a boolean, as far as that is known. */
  condition(node: Node, locals: Locals): Compiled {
    const compiled = this.compile(node, locals)
    if (!types.fits(compiled.type, 'bool')) {
      throw this.error(node, `expected type 'bool' but found '${types.nameOfType(compiled.type)}'`)
    }
    return compiled
  }

  error(node: Node, text: string): CelCompileError {
    return CelCompileError.at(this.#source, placeOf(node, this.#source), text)
  }

  #compile(node: Node, locals: Locals): Compiled {
    switch (node.op) {
      case 'value':
        return literal(this, node, node.args)
      case 'id':
        return identifier(this, node, node.args, locals)
      case '.':
        return select(this, node, node.args, locals)
      case '.?':
        return optionalSelect(this, node, node.args, locals)
      case '[]':
        return index(this, node, node.args, locals)
      case '[?]':
        return optionalIndex(this, node.args, locals)
      case 'call':
        return call(this, node, node.args, locals)
      case 'rcall':
        return methodCall(this, node, node.args, locals)
      case 'list':
        return list(this, node.args, locals)
      case 'map':
        return object(this, node, node.args, locals) ?? map(this, node.args, locals)
      case '?:':
        return conditional(this, node.args, locals)
      case '||':
      case '&&':
        return logical(this, node, locals)
      case '-_':
        return negative(this, node, node.args) ?? operator(this, node, [node.args], locals)
      case '!_':
        return operator(this, node, [node.args], locals)
      default:
        return operator(this, node, node.args, locals)
    }
  }
}
