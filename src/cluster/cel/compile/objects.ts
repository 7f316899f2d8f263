import { MadeObject, typeNameOf } from '../made-objects.ts'
import type { Node } from '../syntax.ts'
import * as types from '../types.ts'
import type { Value } from '../values.ts'
import { entry, given } from './collections.ts'
import type { Compiled, Compiler, Locals } from './compiler.ts'
import { fieldType } from './fields.ts'

/** `Name{a: b, ?c: d}`; undefined for a map, which is written without a name. */
export function object(
  compiler: Compiler,
  node: Node,
  entries: readonly (readonly [Node, Node])[],
  locals: Locals,
): Compiled | undefined {
  const typeName = typeNameOf(node)
  if (typeName === undefined) return undefined
  const type = compiler.environment.object(typeName)
  if (type === undefined)
    throw compiler.error(node, `undeclared reference to '${typeName}' (in container '')`)
  const compiled = entries.map(([key, value]) => {
    if (key.op !== 'id') throw compiler.error(key, 'Syntax error: a field must be a name')
    const name = key.args
    const wanted = fieldType(compiler, key, type, name)
    const made = entry(compiler, key, value, locals)
    if (!types.fits(made.type, wanted.kind)) {
      const [expected, found] = [wanted, made.type].map(types.nameOfType)
      const text = `expected type of field '${name}' is '${expected ?? ''}' but provided type is '${found ?? ''}'`
      throw compiler.error(value, text)
    }
    return { name, ...made }
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
