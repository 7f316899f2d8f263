import {
  CelCompileError,
  CelEvaluationError,
  celTypes,
  compile,
  type Environment,
  kubernetesEnvironment,
  List,
  type Program,
  type Value,
} from '../../cel/index.ts'
import { type Fault, invalidValue } from '../../registry/index.ts'
import { TokenRefusal } from './claims.ts'

const { dyn, string, listOf, mapOf, objectOf } = celTypes

/** What expressions about tokens, and about users, may refer to. */
export const claimsEnvironment = kubernetesEnvironment.with({ claims: mapOf(string, dyn) })
export const userEnvironment = kubernetesEnvironment.with({
  user: objectOf({
    username: string,
    uid: string,
    groups: listOf(string),
    extra: mapOf(string, listOf(string)),
  }),
})

/** What must hold, and what is said when it does not. */
export interface Condition {
  readonly program: Program
  readonly message: string
}

/** Compiles an expression, or notes why that cannot be done. */
export function compiled(
  expression: string,
  at: string,
  environment: Environment,
  faults: Fault[],
): Program | undefined {
  try {
    return compile(expression, environment)
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error
    faults.push(invalidValue(at, expression, error.told))
    return undefined
  }
}

/** Does an expression read a claim by `claims.NAME` or `claims.?NAME`? What stands in texts is none. */
export function uses(expression: string, claim: string): boolean {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
  return new RegExp(`\\bclaims\\s*\\.\\s*\\??\\s*${claim}(?![\\w])`).test(bare)
}

function evaluated(program: Program, bindings: Readonly<Record<string, Value>>, what: string): Value {
  try {
    return program.evaluate(bindings)
  } catch (cause) {
    if (!(cause instanceof CelEvaluationError)) throw cause
    throw new TokenRefusal(`error evaluating ${what}: ${cause.message}`, { cause })
  }
}

/** What an expression makes of the claims, which must be a text. */
export function textOf(program: Program, claims: Value, what: 'username' | 'uid'): string {
  const value = evaluated(program, { claims }, `${what} claim expression`)
  if (typeof value !== 'string') {
    throw new TokenRefusal(
      `error evaluating ${what} claim expression: ${what} claim expression must return a string`,
    )
  }
  if (value === '' && what === 'username') {
    throw new TokenRefusal('empty username via CEL expression is not allowed')
  }
  return value
}

/** A text or a list of them; empty ones are none. */
export function listed(program: Program, claims: Value, what: string): string[] {
  const value = evaluated(program, { claims }, what)
  const items = value instanceof List ? [...value] : value === null ? [] : [value]
  return items.flatMap((item) => {
    if (typeof item === 'string') return item === '' ? [] : [item]
    throw new TokenRefusal(`error evaluating ${what}: expression must return a string or a list of strings`)
  })
}

/** @throws {TokenRefusal} when a condition does not hold */
export function must(
  { program, message }: Condition,
  bindings: Readonly<Record<string, Value>>,
  what: string,
): void {
  const value = evaluated(program, bindings, what)
  if (value === true) return
  if (value !== false)
    throw new TokenRefusal(`error evaluating ${what}: validation expression must return a boolean`)
  throw new TokenRefusal(
    `error evaluating ${what}: validation expression '${program.source}' failed: ${message}`,
  )
}
