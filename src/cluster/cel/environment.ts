import type { CelFunction } from './function.ts'
import type { Type } from './types.ts'

/** The type of an object that an expression makes by this name, with its fields; undefined when there is none. */
export type ObjectTypes = (name: string) => Type | undefined

/** What an expression may refer to. */
export class Environment {
  readonly #variables: ReadonlyMap<string, Type>
  readonly #functions: ReadonlyMap<string, CelFunction>
  readonly #objects: ObjectTypes

  constructor(
    variables: ReadonlyMap<string, Type>,
    functions: ReadonlyMap<string, CelFunction>,
    objects: ObjectTypes = () => undefined,
  ) {
    this.#variables = variables
    this.#functions = functions
    this.#objects = objects
  }

  /** The same language with other variables. */
  with(variables: Readonly<Record<string, Type>>): Environment {
    const all = new Map([...this.#variables, ...Object.entries(variables)])
    return new Environment(all, this.#functions, this.#objects)
  }

  /** The same language, with objects that expressions make and functions that go with them. */
  making(objects: ObjectTypes, functions: readonly CelFunction[]): Environment {
    const all = new Map([...this.#functions, ...functions.map((one) => [one.name, one] as const)])
    return new Environment(this.#variables, all, objects)
  }

  variable(name: string): Type | undefined {
    return this.#variables.get(name)
  }

  function(name: string, { isMethod }: { readonly isMethod: boolean }): CelFunction | undefined {
    return this.#functions.get(isMethod ? `.${name}` : name)
  }

  object(name: string): Type | undefined {
    return this.#objects(name)
  }
}
