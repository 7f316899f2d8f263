import type { CelCompileError } from '../errors.ts'
import type { CelFunction } from '../function.ts'
import { dispatch } from '../steps.ts'
import type { Node } from '../syntax.ts'
import * as types from '../types.ts'
import type { Type } from '../types.ts'
import type { Compiled, Compiler } from './compiler.ts'

/** A call with those overloads of a function that could take the operands; which one does is seen when it runs. */
export function apply(
  compiler: Compiler,
  node: Node,
  found: CelFunction,
  operands: readonly Compiled[],
): Compiled {
  const given = operands.map(({ type }) => type)
  const candidates = found.overloads.filter(
    ({ args }) =>
      args.length === given.length && args.every((wanted, at) => types.fits(given[at] ?? types.dyn, wanted)),
  )
  const [first] = candidates
  if (first === undefined) throw noOverload(compiler, node, found.name, given, found)
  const results = candidates.map(({ result }) => (typeof result === 'function' ? result(given) : result))
  const runs = operands.map(({ run }) => run)
  return {
    type: results.reduce(types.commonType, results[0] ?? types.dyn),
    run: dispatch(runs, candidates),
  }
}

/** As cel-go tells it. */
export function noOverload(
  compiler: Compiler,
  node: Node,
  name: string,
  given: readonly Type[],
  { isMethod }: { readonly isMethod: boolean } = { isMethod: false },
): CelCompileError {
  const names = given.map(types.nameOfType)
  const applied = isMethod ? `'${names[0] ?? ''}.(${names.slice(1).join(', ')})'` : `'(${names.join(', ')})'`
  return compiler.error(node, `found no matching overload for '${name}' applied to ${applied}`)
}
