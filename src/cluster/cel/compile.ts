import { index, isPresent, optionalIndex, optionalSelect, select } from './access.ts'
import { estimateCost } from './cost.ts'
import type { Environment } from './environment.ts'
import { CelCompileError, CelEvaluationError, noSuchOverload } from './errors.ts'
import type { CelFunction } from './function.ts'
import { compileMacro } from './macros.ts'
import { MadeObject, typeNameOf } from './made-objects.ts'
import { operatorNames } from './operators.ts'
import { isOptionalEntry } from './optional-entries.ts'
import { Program, type Run } from './program.ts'
import { checkPattern } from './regex.ts'
import { counted, dispatch, logical, variable } from './steps.ts'
import { dottedPath, type Node, parse, placeOf, rootOf } from './syntax.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import * as types from './types.ts'
import type { Type } from './types.ts'
import { displayed, kindOf, Optional, TypeName, UInt, type Value, ValueList, ValueMap } from './values.ts'

/** An expression ready to run, with what is known of its results. */
export interface Compiled {
  readonly type: Type
  readonly run: Run
}

/** Names bound by enclosing macros. */
export type Locals = ReadonlyMap<string, { readonly type: Type; readonly slot: number }>

// A chain of operators this long would run the evaluator out of stack.
const deepest = 600
const mostNegative = 2n ** 63n

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

/**
 * One compilation: turns nodes into functions, checking types on the way as far as they are known. One piece, because
 * each kind of node is a method and all of them need each other.
 */
export class Compiler {
  /** What is known of each part. */
  readonly types = new Map<Node, Type>()
  /** Variables of the environment met so far. */
  readonly variables = new Set<string>()
  readonly #source: string
  readonly #environment: Environment
  #depth = 0

  constructor(source: string, environment: Environment) {
    this.#source = source
    this.#environment = environment
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
        return this.#literal(node, node.args)
      case 'id':
        return this.#identifier(node, node.args, locals)
      case '.':
        return this.#select(node, node.args[0], node.args[1], locals)
      case '.?': {
        const [operand, field] = [this.compile(node.args[0], locals), node.args[1]]
        const type = types.optionalOf(this.#fieldType(node, unwrapped(operand.type), field))
        return { type, run: counted((frame) => optionalSelect(operand.run(frame), field)) }
      }
      case '[]':
        return this.#index(node, node.args, locals)
      case '[?]': {
        const [operand, key] = [this.compile(node.args[0], locals), this.compile(node.args[1], locals)]
        const type = types.optionalOf(elementType(unwrapped(operand.type)))
        return { type, run: counted((frame) => optionalIndex(operand.run(frame), key.run(frame))) }
      }
      case 'call':
        return this.#call(node, node.args[0], node.args[1], locals)
      case 'rcall':
        return this.#methodCall(node, node.args, locals)
      case 'list':
        return this.#list(node.args, locals)
      case 'map': {
        const typeName = typeNameOf(node)
        return typeName === undefined
          ? this.#map(node.args, locals)
          : this.#object(node, typeName, node.args, locals)
      }
      case '?:':
        return this.#ternary(node.args, locals)
      case '||':
      case '&&':
        return this.#logical(node, locals)
      case '-_':
        return this.#negative(node, node.args, locals)
      case '!_':
        return this.#operator(node, '!_', [node.args], locals)
      default:
        return this.#operator(node, node.op, node.args, locals)
    }
  }

  #literal(node: Node, literal: unknown): Compiled {
    const value = literalValue(literal)
    if (value === undefined || (typeof value === 'bigint' && value >= mostNegative)) {
      throw this.error(node, 'Syntax error: int literal out of range')
    }
    return { type: typeOfLiteral(value), run: () => value }
  }

  /** The smallest int is written as minus a number that is no int itself. */
  #negative(node: Node, operand: Node, locals: Locals): Compiled {
    if (operand.op === 'value' && typeof operand.args === 'bigint') {
      if (operand.args > mostNegative) throw this.error(node, 'Syntax error: int literal out of range')
      const value = -operand.args
      return { type: types.int, run: () => value }
    }
    return this.#operator(node, '-_', [operand], locals)
  }

  #identifier(node: Node, name: string, locals: Locals): Compiled {
    const local = locals.get(name)
    if (local !== undefined) {
      const { slot, type } = local
      return { type, run: ({ locals: values, budget }) => (budget.spend(1), values[slot] ?? null) }
    }
    const type = this.#environment.variable(name)
    if (type !== undefined) {
      this.variables.add(name)
      return { type, run: variable(name) }
    }
    const named = typeNames.get(name)
    if (named !== undefined) return { type: types.typeType, run: () => named }
    throw this.error(node, `undeclared reference to '${name}' (in container '')`)
  }

  #select(node: Node, target: Node, field: string, locals: Locals): Compiled {
    const path = dottedPath(target)
    if (path !== undefined && !locals.has(rootOf(path))) {
      const name = `${path}.${field}`
      const type = this.#environment.variable(name)
      if (type !== undefined) {
        this.variables.add(name)
        return { type, run: variable(name) }
      }
      const named = typeNames.get(name)
      if (named !== undefined && !this.#isDeclared(path, locals)) {
        return { type: types.typeType, run: () => named }
      }
    }
    const operand = this.compile(target, locals)
    if (operand.type.kind === 'optional') {
      const type = types.optionalOf(this.#fieldType(node, unwrapped(operand.type), field))
      return { type, run: counted((frame) => optionalSelect(operand.run(frame), field)) }
    }
    const type = this.#fieldType(node, operand.type, field)
    return { type, run: counted((frame) => select(operand.run(frame), field)) }
  }

  #isDeclared(path: string, locals: Locals): boolean {
    const root = rootOf(path)
    return locals.has(root) || this.#environment.variable(root) !== undefined
  }

  #fieldType(node: Node, operand: Type, field: string): Type {
    if (operand.kind === 'dyn') return types.dyn
    if (operand.kind === 'map') return operand.of ?? types.dyn
    if (operand.kind !== 'object' && operand.fields === undefined) {
      throw this.error(node, `type '${types.nameOfType(operand)}' does not support field selection`)
    }
    if (operand.fields === undefined) return types.dyn
    const type = operand.fields(field)
    if (type === undefined) throw this.error(node, `undefined field '${field}'`)
    return type
  }

  #index(node: Node, [target, key]: readonly [Node, Node], locals: Locals): Compiled {
    const operand = this.compile(target, locals)
    const at = this.compile(key, locals)
    if (operand.type.kind === 'optional') {
      const type = types.optionalOf(elementType(unwrapped(operand.type)))
      return { type, run: counted((frame) => optionalIndex(operand.run(frame), at.run(frame))) }
    }
    if (!['dyn', 'list', 'map', 'object'].includes(operand.type.kind)) {
      throw this.#noOverload(node, '_[_]', [operand.type, at.type])
    }
    return {
      type: elementType(operand.type),
      run: counted((frame) => index(operand.run(frame), at.run(frame))),
    }
  }

  #list(items: readonly Node[], locals: Locals): Compiled {
    const compiled = items.map((item) => this.#entry(item, item, locals))
    const type = this.#joined(
      items,
      compiled.map((one) => one.type),
    )
    return {
      type: { ...types.listOf(type), max: items.length },
      run: (frame) => {
        frame.budget.spend(10)
        const values: Value[] = []
        for (const { run, isOptional } of compiled) {
          const value = isOptional ? given(run(frame), 'list element') : run(frame)
          if (value !== undefined) values.push(value)
        }
        return new ValueList(values)
      },
    }
  }

  #map(entries: readonly (readonly [Node, Node])[], locals: Locals): Compiled {
    const compiled = entries.map(
      ([key, value]) => [this.compile(key, locals), this.#entry(key, value, locals)] as const,
    )
    const common = (which: 0 | 1): Type =>
      this.#joined(
        entries.map((entry) => entry[which]),
        compiled.map((entry) => entry[which].type),
      )
    return {
      type: types.mapOf(common(0), common(1)),
      run: (frame) => {
        frame.budget.spend(30)
        const values: (readonly [Value, Value])[] = []
        for (const [key, { run, isOptional }] of compiled) {
          const at = key.run(frame)
          const value = isOptional ? given(run(frame), `entry '${displayed(at)}'`) : run(frame)
          if (value !== undefined) values.push([at, value])
        }
        return new ValueMap(values)
      },
    }
  }

  #object(
    node: Node,
    typeName: string,
    entries: readonly (readonly [Node, Node])[],
    locals: Locals,
  ): Compiled {
    const type = this.#environment.object(typeName)
    if (type === undefined) throw this.error(node, `undeclared reference to '${typeName}' (in container '')`)
    const compiled = entries.map(([key, value]) => {
      if (key.op !== 'id') throw this.error(key, 'Syntax error: a field must be a name')
      const name = key.args
      const wanted = this.#fieldType(key, type, name)
      const entry = this.#entry(key, value, locals)
      if (!types.fits(entry.type, wanted.kind)) {
        const [expected, found] = [wanted, entry.type].map(types.nameOfType)
        const text = `expected type of field '${name}' is '${expected ?? ''}' but provided type is '${found ?? ''}'`
        throw this.error(value, text)
      }
      return { name, ...entry }
    })
    return {
      type,
      run: (frame) => {
        frame.budget.spend(40)
        const fields = new Map<string, Value>()
        for (const { name, run, isOptional } of compiled) {
          const value = isOptional ? given(run(frame), `field '${name}'`) : run(frame)
          if (value !== undefined) fields.set(name, value)
        }
        return new MadeObject(typeName, fields)
      },
    }
  }

  /** The type of all elements of a list, of all keys or of all values of a map. */
  #joined(nodes: readonly Node[], found: readonly Type[]): Type {
    let joined = found[0] ?? types.dyn
    for (const [at, type] of found.entries()) {
      const node = nodes[at]
      if (node && !types.mingles(joined, type)) {
        const names = [joined, type].map(types.nameOfType)
        throw this.error(node, `expected type '${names[0] ?? ''}' but found '${names[1] ?? ''}'`)
      }
      joined = types.commonType(joined, type)
    }
    return joined
  }

  /** A value of a list or a map; behind a question mark, what an optional holds. */
  #entry(marked: Node, node: Node, locals: Locals): Compiled & { readonly isOptional: boolean } {
    const { type, run } = this.compile(node, locals)
    if (!isOptionalEntry(marked)) return { type, run, isOptional: false }
    if (type.kind !== 'optional' && type.kind !== 'dyn') {
      const name = types.nameOfType(type)
      throw this.error(node, `expected type 'optional_type(${name})' but found '${name}'`)
    }
    return { type: unwrapped(type), run, isOptional: true }
  }

  #ternary([test, yes, no]: readonly [Node, Node, Node], locals: Locals): Compiled {
    const condition = this.condition(test, locals)
    const [left, right] = [this.compile(yes, locals), this.compile(no, locals)]
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
  #logical(node: Node & { readonly op: '||' | '&&' }, locals: Locals): Compiled {
    const parts: Node[] = []
    let rest: Node = node
    while (rest.op === node.op) {
      const [left, right] = rest.args as readonly [Node, Node]
      parts.unshift(right)
      rest = left
    }
    parts.unshift(rest)
    const runs = parts.map((part) => this.condition(part, locals).run)
    return { type: types.bool, run: logical(runs, node.op === '||') }
  }

  #operator(node: Node, operator: string, operands: readonly Node[], locals: Locals): Compiled {
    const name = operatorNames[operator] ?? operator
    const found = this.#environment.function(name, { isMethod: false })
    if (found === undefined) throw this.error(node, `undeclared reference to '${name}' (in container '')`)
    const compiled = operands.map((operand) => this.compile(operand, locals))
    if (operator === '==' || operator === '!=') this.#checkComparable(node, name, compiled)
    return this.#apply(node, found, compiled)
  }

  #checkComparable(node: Node, name: string, operands: readonly Compiled[]): void {
    const [left = types.dyn, right = types.dyn] = operands.map(({ type }) => type)
    const plain = new Set([
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
    if (plain.has(left.kind) && plain.has(right.kind) && left.kind !== right.kind) {
      throw this.#noOverload(node, name, [left, right])
    }
  }

  #call(node: Node, name: string, args: readonly Node[], locals: Locals): Compiled {
    if (name === 'has') return this.#has(node, args, locals)
    const found = this.#environment.function(name, { isMethod: false })
    if (found === undefined) throw this.error(node, `undeclared reference to '${name}' (in container '')`)
    this.#checkTime(name, args)
    return this.#apply(
      node,
      found,
      args.map((arg) => this.compile(arg, locals)),
    )
  }

  /** What is written out and is no time is refused at once, and not when it is met. */
  #checkTime(name: string, [text]: readonly Node[]): void {
    if (text?.op !== 'value' || typeof text.args !== 'string') return
    const read = name === 'duration' ? parseDuration : name === 'timestamp' ? parseTimestamp : undefined
    if (read && !isReadable(read, text.args)) throw this.error(text, `invalid ${name} argument`)
  }

  #has(node: Node, args: readonly Node[], locals: Locals): Compiled {
    const [target] = args
    if (args.length !== 1 || target?.op !== '.') throw this.error(node, 'invalid argument to has() macro')
    const [object, field] = target.args
    const operand = this.compile(object, locals)
    this.#fieldType(target, unwrapped(operand.type), field)
    return { type: types.bool, run: counted((frame) => isPresent(operand.run(frame), field)) }
  }

  #methodCall(
    node: Node,
    [name, target, args]: readonly [string, Node, readonly Node[]],
    locals: Locals,
  ): Compiled {
    const path = dottedPath(target)
    if (path !== undefined && !this.#isDeclared(path, locals)) {
      if (path === 'cel' && name === 'bind') return compileMacro(this, 'bind', { node, args, locals })
      const found = this.#environment.function(`${path}.${name}`, { isMethod: false })
      if (found !== undefined) {
        return this.#apply(
          node,
          found,
          args.map((arg) => this.compile(arg, locals)),
        )
      }
    }
    const macro = compileMacro(this, name, { node, target, args, locals })
    if (macro !== undefined) return macro
    const found = this.#environment.function(name, { isMethod: true })
    const operands = [target, ...args].map((operand) => this.compile(operand, locals))
    if (found === undefined) throw this.error(node, `undeclared reference to '${name}' (in container '')`)
    if (name === 'matches' || name === 'find' || name === 'findAll') this.#checkPattern(node, args[0])
    return this.#apply(node, found, operands)
  }

  #checkPattern(node: Node, pattern: Node | undefined): void {
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return
    const complaint = checkPattern(pattern.args)
    if (complaint !== undefined) throw this.error(node, `invalid matches argument: ${complaint}`)
  }

  #apply(node: Node, found: CelFunction, operands: readonly Compiled[]): Compiled {
    const given = operands.map(({ type }) => type)
    const candidates = found.overloads.filter(
      ({ args }) =>
        args.length === given.length &&
        args.every((wanted, at) => types.fits(given[at] ?? types.dyn, wanted)),
    )
    const [first] = candidates
    if (first === undefined) throw this.#noOverload(node, found.name, given, found.isMethod)
    const results = candidates.map(({ result }) => (typeof result === 'function' ? result(given) : result))
    const runs = operands.map(({ run }) => run)
    return {
      type: results.reduce(types.commonType, results[0] ?? types.dyn),
      run: dispatch(runs, candidates),
    }
  }

  #noOverload(node: Node, name: string, given: readonly Type[], isMethod = false): CelCompileError {
    const names = given.map(types.nameOfType)
    const applied = isMethod
      ? `'${names[0] ?? ''}.(${names.slice(1).join(', ')})'`
      : `'(${names.join(', ')})'`
    return this.error(node, `found no matching overload for '${name}' applied to ${applied}`)
  }
}

const typeNames = new Map(
  [
    'bool',
    'int',
    'uint',
    'double',
    'string',
    'bytes',
    'list',
    'map',
    'null_type',
    'type',
    'google.protobuf.Timestamp',
    'google.protobuf.Duration',
  ].map((name) => [name, new TypeName(name)]),
)

function literalValue(literal: unknown): Value | undefined {
  switch (typeof literal) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return literal
    default:
      if (literal === null) return null
      if (literal instanceof Uint8Array) return literal
      // The parser's own class for `1u`.
      if (typeof literal === 'object' && 'value' in literal && typeof literal.value === 'bigint') {
        return new UInt(literal.value)
      }
      return undefined
  }
}

function typeOfLiteral(value: Value): Type {
  return { kind: kindOf(value), ...(typeof value === 'string' && { max: value.length }) }
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

/** What an optional entry adds; undefined when nothing. */
function given(value: Value, what: string): Value | undefined {
  if (value instanceof Optional) return value.value
  throw new CelEvaluationError(
    `cannot initialize optional ${what} from non-optional value ${displayed(value)}`,
  )
}

function unwrapped(type: Type): Type {
  return type.kind === 'optional' ? (type.of ?? types.dyn) : type
}

function elementType(type: Type): Type {
  return type.kind === 'list' || type.kind === 'map' ? (type.of ?? types.dyn) : types.dyn
}
