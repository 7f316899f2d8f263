import * as access from '../access.ts'
import { counted } from '../steps.ts'
import { dottedPath, type Node } from '../syntax.ts'
import * as types from '../types.ts'
import type { Type } from '../types.ts'
import type { Compiled, Compiler, Locals } from './compiler.ts'
import { qualified } from './identifiers.ts'
import { noOverload } from './overloads.ts'

type Selection = readonly [target: Node, field: string]

/** `target.field` */
export function select(compiler: Compiler, node: Node, [target, field]: Selection, locals: Locals): Compiled {
  const path = dottedPath(target)
  const named = path === undefined ? undefined : qualified(compiler, path, field, locals)
  if (named !== undefined) return named
  const operand = compiler.compile(target, locals)
  if (operand.type.kind === 'optional') return optionalField(compiler, node, operand, field)
  const type = fieldType(compiler, node, operand.type, field)
  return { type, run: counted((frame) => access.select(operand.run(frame), field)) }
}

/** `target.?field` */
export function optionalSelect(
  compiler: Compiler,
  node: Node,
  [target, field]: Selection,
  locals: Locals,
): Compiled {
  return optionalField(compiler, node, compiler.compile(target, locals), field)
}

/** `target[key]` */
export function index(
  compiler: Compiler,
  node: Node,
  [target, key]: readonly [Node, Node],
  locals: Locals,
): Compiled {
  const operand = compiler.compile(target, locals)
  const at = compiler.compile(key, locals)
  if (operand.type.kind === 'optional') return optionalElement(operand, at)
  if (!['dyn', 'list', 'map', 'object'].includes(operand.type.kind)) {
    throw noOverload(compiler, node, '_[_]', [operand.type, at.type])
  }
  return {
    type: elementType(operand.type),
    run: counted((frame) => access.index(operand.run(frame), at.run(frame))),
  }
}

/** `target[?key]` */
export function optionalIndex(
  compiler: Compiler,
  [target, key]: readonly [Node, Node],
  locals: Locals,
): Compiled {
  return optionalElement(compiler.compile(target, locals), compiler.compile(key, locals))
}

/** `has(target.field)` */
export function has(compiler: Compiler, node: Node, args: readonly Node[], locals: Locals): Compiled {
  const [target] = args
  if (args.length !== 1 || target?.op !== '.') throw compiler.error(node, 'invalid argument to has() macro')
  const [object, field] = target.args
  const operand = compiler.compile(object, locals)
  fieldType(compiler, target, types.unwrapped(operand.type), field)
  return { type: types.bool, run: counted((frame) => access.isPresent(operand.run(frame), field)) }
}

function optionalField(compiler: Compiler, node: Node, operand: Compiled, field: string): Compiled {
  const type = types.optionalOf(fieldType(compiler, node, types.unwrapped(operand.type), field))
  return { type, run: counted((frame) => access.optionalSelect(operand.run(frame), field)) }
}

function optionalElement(operand: Compiled, key: Compiled): Compiled {
  const type = types.optionalOf(elementType(types.unwrapped(operand.type)))
  return { type, run: counted((frame) => access.optionalIndex(operand.run(frame), key.run(frame))) }
}

/** The type of a field of something of this type. */
export function fieldType(compiler: Compiler, node: Node, operand: Type, field: string): Type {
  if (operand.kind === 'dyn') return types.dyn
  if (operand.kind === 'map') return operand.of ?? types.dyn
  if (operand.kind !== 'object' && operand.fields === undefined) {
    throw compiler.error(node, `type '${types.nameOfType(operand)}' does not support field selection`)
  }
  if (operand.fields === undefined) return types.dyn
  const type = operand.fields(field)
  if (type === undefined) throw compiler.error(node, `undefined field '${field}'`)
  return type
}

function elementType(type: Type): Type {
  return type.kind === 'list' || type.kind === 'map' ? (type.of ?? types.dyn) : types.dyn
}
