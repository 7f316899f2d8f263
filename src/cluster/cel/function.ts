import type { Budget } from './budget.ts'
import type { Type } from './types.ts'
import type { Value } from './values.ts'

/** One signature of a function and what it does. Arguments are of the kinds it names; `dyn` takes any. */
export interface Overload {
  readonly args: readonly string[]
  readonly result: Type | ((args: readonly Type[]) => Type)
  run(args: readonly Value[], budget: Budget): Value
}

/** A function of the language: `size(x)`, or with a receiver `x.size()`, which is its first argument then. */
export interface CelFunction {
  /** With its namespace, as in `sets.contains`. */
  readonly name: string
  readonly isMethod: boolean
  readonly overloads: readonly Overload[]
}

type Run<A extends readonly Value[]> = (args: A, budget: Budget) => Value

/**
 * One signature. The kinds in `args` are checked before `run` is called, so `A` may name what they stand for.
 */
export function overload<A extends readonly Value[]>(
  args: readonly string[],
  result: Overload['result'],
  run: Run<A>,
): Overload {
  return { args, result, run: run as unknown as Overload['run'] }
}

export function method(name: string, ...overloads: Overload[]): CelFunction {
  return { name, isMethod: true, overloads }
}

export function global(name: string, ...overloads: Overload[]): CelFunction {
  return { name, isMethod: false, overloads }
}
