import { CelEvaluationError } from '../errors.ts'
import { isOptionalEntry } from '../optional-entries.ts'
import type { Node } from '../syntax.ts'
import * as types from '../types.ts'
import type { Type } from '../types.ts'
import { displayed, Optional, type Value, ValueList, ValueMap } from '../values.ts'
import type { Compiled, Compiler, Locals } from './compiler.ts'

/** `[a, ?b]` */
export function list(compiler: Compiler, items: readonly Node[], locals: Locals): Compiled {
  const compiled = items.map((item) => entry(compiler, item, item, locals))
  const type = joined(
    compiler,
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

/** `{a: b, ?c: d}` */
export function map(
  compiler: Compiler,
  entries: readonly (readonly [Node, Node])[],
  locals: Locals,
): Compiled {
  const compiled = entries.map(
    ([key, value]) => [compiler.compile(key, locals), entry(compiler, key, value, locals)] as const,
  )
  const common = (which: 0 | 1): Type =>
    joined(
      compiler,
      entries.map((one) => one[which]),
      compiled.map((one) => one[which].type),
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

/** The type of all elements of a list, of all keys or of all values of a map. */
function joined(compiler: Compiler, nodes: readonly Node[], found: readonly Type[]): Type {
  let common = found[0] ?? types.dyn
  for (const [at, type] of found.entries()) {
    const node = nodes[at]
    if (node && !types.mingles(common, type)) {
      const names = [common, type].map(types.nameOfType)
      throw compiler.error(node, `expected type '${names[0] ?? ''}' but found '${names[1] ?? ''}'`)
    }
    common = types.commonType(common, type)
  }
  return common
}

/** A value of a list or a map; behind a question mark, what an optional holds. */
export function entry(
  compiler: Compiler,
  marked: Node,
  node: Node,
  locals: Locals,
): Compiled & { readonly isOptional: boolean } {
  const { type, run } = compiler.compile(node, locals)
  if (!isOptionalEntry(marked)) return { type, run, isOptional: false }
  if (type.kind !== 'optional' && type.kind !== 'dyn') {
    const name = types.nameOfType(type)
    throw compiler.error(node, `expected type 'optional_type(${name})' but found '${name}'`)
  }
  return { type: types.unwrapped(type), run, isOptional: true }
}

/** What an optional entry adds; undefined when nothing. */
export function given(value: Value, what: string): Value | undefined {
  if (value instanceof Optional) return value.value
  throw new CelEvaluationError(
    `cannot initialize optional ${what} from non-optional value ${displayed(value)}`,
  )
}
