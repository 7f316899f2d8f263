import { variable } from '../steps.ts'
import { type Node, rootOf } from '../syntax.ts'
import * as types from '../types.ts'
import { TypeName } from '../values.ts'
import type { Compiled, Compiler, Locals } from './compiler.ts'

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

export function identifier(compiler: Compiler, node: Node, name: string, locals: Locals): Compiled {
  const local = locals.get(name)
  if (local !== undefined) {
    const { slot, type } = local
    return { type, run: ({ locals: values, budget }) => (budget.spend(1), values[slot] ?? null) }
  }
  const found = variableNamed(compiler, name) ?? typeNamed(name)
  if (found === undefined) throw compiler.error(node, `undeclared reference to '${name}' (in container '')`)
  return found
}

/** A dotted path that as a whole names a variable or a type; undefined when it leads into a value. */
export function qualified(
  compiler: Compiler,
  path: string,
  field: string,
  locals: Locals,
): Compiled | undefined {
  if (locals.has(rootOf(path))) return undefined
  const name = `${path}.${field}`
  return variableNamed(compiler, name) ?? (isDeclared(compiler, path, locals) ? undefined : typeNamed(name))
}

/** Does a dotted path begin with a name that stands for a value? */
export function isDeclared(compiler: Compiler, path: string, locals: Locals): boolean {
  const root = rootOf(path)
  return locals.has(root) || compiler.environment.variable(root) !== undefined
}

function variableNamed(compiler: Compiler, name: string): Compiled | undefined {
  const type = compiler.environment.variable(name)
  if (type === undefined) return undefined
  compiler.variables.add(name)
  return { type, run: variable(name) }
}

function typeNamed(name: string): Compiled | undefined {
  const named = typeNames.get(name)
  return named && { type: types.typeType, run: () => named }
}
