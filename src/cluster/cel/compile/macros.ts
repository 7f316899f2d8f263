import { iterated } from '../access.ts'
import { CelBudgetError, CelEvaluationError, noSuchOverload } from '../errors.ts'
import type { Compiled, Compiler, Locals } from './compiler.ts'
import type { Frame, Run } from '../program.ts'
import type { Node } from '../syntax.ts'
import * as types from '../types.ts'
import type { Type } from '../types.ts'
import { Fields, Optional, type Value, ValueList, ValueMap } from '../values.ts'

interface MacroCall {
  readonly node: Node
  /** Absent for `cel.bind`. */
  readonly target?: Node
  readonly args: readonly Node[]
  readonly locals: Locals
}

/** A loop ready to run: binds its variables and calls `visit` with each element until that returns false. */
interface Loop {
  readonly locals: Locals
  readonly element: Type
  /** Most turns, as far as that is known. */
  readonly max: number | undefined
  each(frame: Frame, visit: (key: Value, element: Value) => boolean): void
}

/** Compiles a call that is a macro; undefined when it is an ordinary call. */
export function compileMacro(compiler: Compiler, name: 'bind', call: MacroCall): Compiled
export function compileMacro(compiler: Compiler, name: string, call: MacroCall): Compiled | undefined
export function compileMacro(compiler: Compiler, name: string, call: MacroCall): Compiled | undefined {
  const { args } = call
  if (name === 'bind' && call.target === undefined) return bind(compiler, call)
  if (call.target === undefined) return undefined
  const isTwo = args.length === 2
  const isThree = args.length === 3
  switch (name) {
    case 'all':
    case 'exists':
      return isTwo || isThree ? quantifier(compiler, call, name === 'all') : undefined
    case 'exists_one':
    case 'existsOne':
      return isTwo || isThree ? existsOne(compiler, call) : undefined
    case 'map':
      return isTwo || isThree ? map(compiler, call) : undefined
    case 'filter':
      return isTwo ? filter(compiler, call) : undefined
    case 'transformList':
    case 'transformMap':
      return isThree || args.length === 4 ? transform(compiler, call, name) : undefined
    case 'transformMapEntry':
      return isThree || args.length === 4 ? transform(compiler, call, name) : undefined
    case 'optMap':
    case 'optFlatMap':
      return isTwo ? optionalMap(compiler, call, name === 'optFlatMap') : undefined
    default:
      return undefined
  }
}

/** A node that must be a bare name. */
function nameOf(compiler: Compiler, node: Node | undefined, call: MacroCall): string {
  if (node?.op !== 'id') throw compiler.error(node ?? call.node, 'argument must be a simple name')
  return node.args
}

function argument(compiler: Compiler, call: MacroCall, at: number): Node {
  const node = call.args[at]
  if (node === undefined) throw compiler.error(call.node, 'missing argument')
  return node
}

/** `names` are one variable (elements of a list, keys of a map) or two (index and element, key and value). */
function loop(compiler: Compiler, call: MacroCall, names: readonly string[]): Loop {
  const range = compiler.compile(call.target ?? call.node, call.locals)
  const { kind } = range.type
  if (!['dyn', 'list', 'map', 'object'].includes(kind)) {
    throw compiler.error(
      call.node,
      `expression of type '${types.nameOfType(range.type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    )
  }
  const values = kind === 'list' || kind === 'map' ? (range.type.of ?? types.dyn) : types.dyn
  const keys = kind === 'list' ? types.int : kind === 'map' ? (range.type.key ?? types.dyn) : types.dyn
  const base = call.locals.size === 0 ? 0 : Math.max(...[...call.locals.values()].map(({ slot }) => slot)) + 1
  const [first = '', second] = names
  const single = kind === 'map' || kind === 'object' ? keys : values
  const locals = new Map(call.locals)
  locals.set(first, { type: second === undefined ? single : keys, slot: base })
  if (second !== undefined) locals.set(second, { type: values, slot: base + 1 })
  return {
    locals,
    element: second === undefined ? single : values,
    max: range.type.max,
    each(frame, visit) {
      const over = range.run(frame)
      const isMap = over instanceof Fields
      for (const [key, element] of iterated(over, frame.budget)) {
        const bound = second === undefined && isMap ? key : element
        frame.locals[base] = second === undefined ? bound : key
        if (second !== undefined) frame.locals[base + 1] = element
        if (!visit(key, bound)) return
      }
    },
  }
}

function loopNames(compiler: Compiler, call: MacroCall, count: number): string[] {
  const names = Array.from({ length: count }, (_, at) => nameOf(compiler, call.args[at], call))
  if (new Set(names).size !== names.length) {
    throw compiler.error(call.node, 'variable names of a comprehension must differ')
  }
  return names
}

function listFrom({ max }: Loop, element: Type): Type {
  return { ...types.listOf(element), ...(max !== undefined && { max }) }
}

function truth(value: Value): boolean {
  if (typeof value !== 'boolean') throw noSuchOverload()
  return value
}

/** `all` and `exists`: an element that decides wins over elements for which the predicate fails. */
function quantifier(compiler: Compiler, call: MacroCall, isAll: boolean): Compiled {
  const names = loopNames(compiler, call, call.args.length - 1)
  const over = loop(compiler, call, names)
  const predicate = compiler.condition(argument(compiler, call, names.length), over.locals).run
  const run: Run = (frame) => {
    let failure: unknown
    let isDecided = false
    over.each(frame, () => {
      try {
        isDecided = truth(predicate(frame)) !== isAll
      } catch (error) {
        if (error instanceof CelBudgetError || !(error instanceof CelEvaluationError)) throw error
        failure ??= error
      }
      return !isDecided
    })
    if (isDecided) return !isAll
    if (failure !== undefined) throw failure
    return isAll
  }
  return { type: types.bool, run }
}

function existsOne(compiler: Compiler, call: MacroCall): Compiled {
  const names = loopNames(compiler, call, call.args.length - 1)
  const over = loop(compiler, call, names)
  const predicate = compiler.condition(argument(compiler, call, names.length), over.locals).run
  const run: Run = (frame) => {
    let matches = 0
    over.each(frame, () => {
      if (truth(predicate(frame))) matches++
      return true
    })
    return matches === 1
  }
  return { type: types.bool, run }
}

function map(compiler: Compiler, call: MacroCall): Compiled {
  const over = loop(compiler, call, loopNames(compiler, call, 1))
  const test =
    call.args.length === 3 ? compiler.condition(argument(compiler, call, 1), over.locals).run : undefined
  const made = compiler.compile(argument(compiler, call, call.args.length - 1), over.locals)
  return { type: listFrom(over, made.type), run: collect(over, test, made.run) }
}

function filter(compiler: Compiler, call: MacroCall): Compiled {
  const over = loop(compiler, call, loopNames(compiler, call, 1))
  const predicate = compiler.condition(argument(compiler, call, 1), over.locals).run
  const run: Run = (frame) => {
    const kept: Value[] = []
    over.each(frame, (_, element) => {
      if (truth(predicate(frame))) kept.push(element)
      return true
    })
    return new ValueList(kept)
  }
  return { type: listFrom(over, over.element), run }
}

function collect(over: Loop, test: Run | undefined, make: Run): Run {
  return (frame) => {
    const made: Value[] = []
    over.each(frame, () => {
      if (test === undefined || truth(test(frame))) made.push(make(frame))
      return true
    })
    return new ValueList(made)
  }
}

function transform(
  compiler: Compiler,
  call: MacroCall,
  name: 'transformList' | 'transformMap' | 'transformMapEntry',
): Compiled {
  const over = loop(compiler, call, loopNames(compiler, call, 2))
  const test =
    call.args.length === 4 ? compiler.condition(argument(compiler, call, 2), over.locals).run : undefined
  const made = compiler.compile(argument(compiler, call, call.args.length - 1), over.locals)
  if (name === 'transformList') return { type: listFrom(over, made.type), run: collect(over, test, made.run) }
  const run: Run = (frame) => {
    const entries: (readonly [Value, Value])[] = []
    over.each(frame, (key) => {
      if (test !== undefined && !truth(test(frame))) return true
      const value = made.run(frame)
      if (name === 'transformMap') entries.push([key, value])
      else if (value instanceof Fields) entries.push(...value.entries())
      else throw noSuchOverload()
      return true
    })
    return new ValueMap(entries)
  }
  return {
    type: name === 'transformMap' ? types.mapOf(types.dyn, made.type) : types.mapOf(types.dyn, types.dyn),
    run,
  }
}

function bind(compiler: Compiler, call: MacroCall): Compiled {
  if (call.args.length !== 3)
    throw compiler.error(call.node, 'cel.bind() takes a name, a value and an expression')
  const name = nameOf(compiler, call.args[0], call)
  const value = compiler.compile(argument(compiler, call, 1), call.locals)
  return bound(compiler, { call, name, type: value.type, body: argument(compiler, call, 2) }, value.run)
}

interface Binding {
  readonly call: MacroCall
  readonly name: string
  readonly type: Type
  readonly body: Node
}

function bound(compiler: Compiler, { call, name, type, body }: Binding, value: Run): Compiled {
  const slot = call.locals.size === 0 ? 0 : Math.max(...[...call.locals.values()].map((one) => one.slot)) + 1
  const compiled = compiler.compile(body, new Map([...call.locals, [name, { type, slot }]]))
  return {
    type: compiled.type,
    run: (frame) => {
      frame.locals[slot] = value(frame)
      return compiled.run(frame)
    },
  }
}

/** `optional.optMap(x, expression)`. */
function optionalMap(compiler: Compiler, call: MacroCall, isFlat: boolean): Compiled {
  const name = nameOf(compiler, call.args[0], call)
  const operand = compiler.compile(call.target ?? call.node, call.locals)
  if (!types.fits(operand.type, 'optional')) {
    throw compiler.error(call.node, `type '${types.nameOfType(operand.type)}' is no optional`)
  }
  let current: Value = null
  const inner = bound(
    compiler,
    { call, name, type: operand.type.of ?? types.dyn, body: argument(compiler, call, 1) },
    () => current,
  )
  return {
    type: isFlat ? inner.type : types.optionalOf(inner.type),
    run: (frame) => {
      const value = operand.run(frame)
      if (!(value instanceof Optional)) throw noSuchOverload()
      if (value.value === undefined) return Optional.none
      // Set right before it is read: `bound` takes it over before anything else can run.
      current = value.value
      const made = inner.run(frame)
      return isFlat ? made : new Optional(made)
    },
  }
}
