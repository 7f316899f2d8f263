import type {
  MatchCondition,
  ParamKind,
  Variable as VariableOfPolicy,
} from 'kubernetes-types/admissionregistration/v1.js'
import {
  authorizerType,
  CelCompileError,
  CelResultError,
  celTypes,
  compile,
  type Environment,
  kubernetesEnvironment,
  type Program,
  resourceCheckType,
  type Type,
} from '../../cel/index.ts'
import { type Fault, invalidValue } from '../../registry/index.ts'

const { bool, dyn, string, listOf, mapOf, objectOf } = celTypes

const groupVersionKind = objectOf({ group: string, version: string, kind: string })
const groupVersionResource = objectOf({ group: string, version: string, resource: string })
const requestType = objectOf({
  kind: groupVersionKind,
  resource: groupVersionResource,
  subResource: string,
  requestKind: groupVersionKind,
  requestResource: groupVersionResource,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo: objectOf({
    username: string,
    uid: string,
    groups: listOf(string),
    extra: mapOf(string, listOf(string)),
  }),
  dryRun: bool,
  options: dyn,
})

/** The language of policies, without their own variables and parameters. */
const bare: Environment = kubernetesEnvironment.with({
  object: dyn,
  oldObject: dyn,
  request: requestType,
  namespaceObject: dyn,
  authorizer: authorizerType,
  'authorizer.requestResource': resourceCheckType,
})

/** What is known of the objects that a policy looks at, beyond that they are objects. */
export interface KnownTypes {
  readonly object: Type
  readonly params: Type
}

/** What is wrong with an expression, without the word that it is. */
export interface Problem {
  readonly path: string
  readonly text: string
}

/** An expression that is ready, or why it is not. */
export interface Expression {
  readonly source: string
  readonly program: Program | undefined
  readonly failure: string | undefined
}

export interface NamedExpression {
  readonly name: string
  readonly expression: Expression
}

/** Compiles the expressions of one policy, and collects what is wrong with them. */
export interface ExpressionReader {
  readonly faults: Fault[]
  /** @param returns what the expression may give; anything when empty. */
  read(source: string, path: string, returns: readonly Type[], environment: Environment): Expression
}

function compiled(
  source: string,
  returns: readonly Type[],
  environment: Environment,
): Expression & { readonly problem?: CelCompileError } {
  try {
    const program = compile(source, environment)
    if (returns.length > 0 && !returns.some((type) => celTypes.fitsWhole(program.type, type))) {
      throw new CelResultError(`must evaluate to ${returns.map(celTypes.nameOfType).join(' or ')}`)
    }
    return { source, program, failure: undefined }
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error
    return { source, program: undefined, failure: error.told, problem: error }
  }
}

/** Compiles one condition under which a webhook is asked. */
export function compileCondition(source: string): Expression {
  const { problem: _problem, ...expression } = compiled(source, [bool], bare)
  return expression
}

/** What is wrong with such a condition. */
export function conditionFaults(source: string, path: string): Fault[] {
  const { failure } = compileCondition(source)
  return failure === undefined ? [] : [invalidValue(path, source, failure)]
}

function readerOf(onProblem?: (problem: Problem) => void): ExpressionReader {
  const faults: Fault[] = []
  return {
    faults,
    read(source, path, returns, environment) {
      // That something is missing is for the kind's own checks to say.
      if (source.trim() === '') return { source, program: undefined, failure: 'expression is not specified' }
      const { problem, ...expression } = compiled(source, returns, environment)
      if (problem) {
        faults.push(invalidValue(path, source, problem.told))
        onProblem?.({ path, text: problem.message })
      }
      return expression
    },
  }
}

/** What every policy has, whatever it does with its requests. */
export interface CommonParts {
  readonly matchConditions: readonly NamedExpression[]
  readonly variables: readonly NamedExpression[]
  /** What the policy's other expressions may refer to. */
  readonly environment: Environment
  readonly reader: ExpressionReader
}

interface CommonSpec {
  readonly paramKind?: ParamKind
  readonly matchConditions?: readonly MatchCondition[]
  readonly variables?: readonly VariableOfPolicy[]
}

/** Compiles the match conditions and the variables of a policy. */
export function compileCommon(
  spec: CommonSpec,
  how: { readonly types?: KnownTypes; onProblem?(problem: Problem): void } = {},
): CommonParts {
  const { object = dyn, params = dyn } = how.types ?? {}
  const base = how.types ? bare.with({ object, oldObject: object }) : bare
  const reader = readerOf(how.onProblem)
  // Who names no kind of parameters has none to speak of.
  const environment = spec.paramKind ? base.with({ params }) : base
  const known = new Map<string, Type>()
  // Each variable sees those before it, and what is known of their types.
  const withVariables = (): Environment =>
    environment.with({ variables: objectOf(Object.fromEntries(known)) })
  const matchConditions = (spec.matchConditions ?? []).map(({ name, expression = '' }, at) => ({
    name,
    expression: reader.read(expression, `spec.matchConditions[${at}].expression`, [bool], environment),
  }))
  const variables: NamedExpression[] = []
  for (const [at, { name, expression = '' }] of (spec.variables ?? []).entries()) {
    const compiled = reader.read(expression, `spec.variables[${at}].expression`, [], withVariables())
    variables.push({ name, expression: compiled })
    known.set(name, compiled.program?.type ?? dyn)
  }
  return { matchConditions, variables, environment: withVariables(), reader }
}
