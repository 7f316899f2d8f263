import { Budget } from './budget.ts'
import type { Type } from './types.ts'
import type { Value } from './values.ts'

/** Values of the variables of an expression, or how to make them when they are asked for. */
export type Bindings = Readonly<Record<string, Value | (() => Value)>>

/** What a step of a program works on. */
export interface Frame {
  readonly bindings: Bindings
  readonly locals: Value[]
  readonly budget: Budget
}

export type Run = (frame: Frame) => Value

/** A compiled expression. Immutable: evaluate it as often as you like. */
export class Program {
  readonly source: string
  /** What is known of its results. */
  readonly type: Type
  /** Variables of the environment that it refers to. */
  readonly variables: ReadonlySet<string>
  /** The most work it can be, for the largest values that its variables can have; a low guess where sizes are unknown. */
  readonly cost: number
  readonly #run: Run

  constructor(
    source: string,
    { type, variables, cost }: Pick<Program, 'type' | 'variables' | 'cost'>,
    run: Run,
  ) {
    this.source = source
    this.cost = cost
    this.type = type
    this.variables = variables
    this.#run = run
  }

  /**
   * @throws {CelEvaluationError} when the expression has no value for these bindings.
   * @throws {CelBudgetError} when it does more work than the budget allows.
   */
  evaluate(bindings: Bindings, budget: Budget = new Budget()): Value {
    budget.begin()
    return this.#run({ bindings, locals: [], budget })
  }
}
