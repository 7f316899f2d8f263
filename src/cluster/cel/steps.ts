import { CelBudgetError, CelEvaluationError, noSuchOverload } from './errors.ts'
import type { Overload } from './function.ts'
import type { Run } from './program.ts'
import { kindOf } from './values.ts'

/** A step that costs one unit by itself. */
export function counted(run: Run): Run {
  return (frame) => {
    frame.budget.spend(1)
    return run(frame)
  }
}

/** Reads a variable of the environment. */
export function variable(name: string): Run {
  return ({ bindings, budget }) => {
    budget.spend(1)
    const bound = Object.hasOwn(bindings, name) ? bindings[name] : undefined
    if (bound === undefined) throw new CelEvaluationError(`no such attribute(s): ${name}`)
    return typeof bound === 'function' ? bound() : bound
  }
}

/** An operand that decides wins over one that fails, whichever comes first. */
export function logical(runs: readonly Run[], deciding: boolean): Run {
  return (frame) => {
    frame.budget.spend(1)
    let failure: unknown
    for (const run of runs) {
      try {
        const value = run(frame)
        if (value === deciding) return deciding
        if (typeof value !== 'boolean') failure ??= noSuchOverload()
      } catch (error) {
        if (error instanceof CelBudgetError || !(error instanceof CelEvaluationError)) throw error
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
    return !deciding
  }
}

/** Runs the overload that takes what the operands turn out to be. */
export function dispatch(runs: readonly Run[], candidates: readonly Overload[]): Run {
  const [only] = candidates
  const isCertain = candidates.length === 1 && only !== undefined && only.args.every((kind) => kind === 'dyn')
  return (frame) => {
    frame.budget.spend(1)
    const values = runs.map((run) => run(frame))
    if (isCertain) return only.run(values, frame.budget)
    const kinds = values.map(kindOf)
    for (const candidate of candidates) {
      if (candidate.args.every((wanted, at) => wanted === 'dyn' || wanted === kinds[at])) {
        return candidate.run(values, frame.budget)
      }
    }
    throw noSuchOverload()
  }
}
