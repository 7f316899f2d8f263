import type { CelFunction } from './function.ts'
import type { Type } from './types.ts'

/** What an expression may refer to. */
export class Environment {
  readonly #variables: ReadonlyMap<string, Type>
  readonly #functions: ReadonlyMap<string, CelFunction>

  constructor(variables: ReadonlyMap<string, Type>, functions: ReadonlyMap<string, CelFunction>) {
    this.#variables = variables
    this.#functions = functions
  }

  /** The same language with other variables. */
  with(variables: Readonly<Record<string, Type>>): Environment {
    return new Environment(new Map([...this.#variables, ...Object.entries(variables)]), this.#functions)
  }

  variable(name: string): Type | undefined {
    return this.#variables.get(name)
  }

  function(name: string, { isMethod }: { readonly isMethod: boolean }): CelFunction | undefined {
    return this.#functions.get(isMethod ? `.${name}` : name)
  }
}
