import { type Fault, invalidValue } from '../../registry/index.ts'
import type { ValidatingAdmissionPolicy, Validation } from 'kubernetes-types/admissionregistration/v1.js'
import type { KubeObject } from '../../../kube/index.ts'
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

type Spec = NonNullable<ValidatingAdmissionPolicy['spec']>

/** An expression that is ready, or why it is not. */
export interface Expression {
  readonly source: string
  readonly program: Program | undefined
  readonly failure: string | undefined
}

export interface CompiledValidation {
  readonly validation: Validation
  readonly expression: Expression
  readonly message: Expression | undefined
}

export interface CompiledPolicy {
  readonly name: string
  readonly spec: Spec
  readonly matchConditions: readonly { readonly name: string; readonly expression: Expression }[]
  readonly variables: readonly { readonly name: string; readonly expression: Expression }[]
  readonly validations: readonly CompiledValidation[]
  readonly auditAnnotations: readonly { readonly key: string; readonly expression: Expression }[]
  readonly faults: readonly Fault[]
}

// Objects of the store never change, so a change of one policy leaves the others compiled.
const compiled = new WeakMap<KubeObject, CompiledPolicy>()

/** Compiles every expression of a stored policy, once; what does not compile is told in `faults`. */
export function compilePolicy(object: KubeObject): CompiledPolicy {
  const known = compiled.get(object)
  if (known !== undefined) return known
  const policy = compileAll(object)
  compiled.set(object, policy)
  return policy
}

/** What is known of the objects that a policy looks at, beyond that they are objects. */
interface KnownTypes {
  readonly object: Type
  readonly params: Type
}

/** What is wrong with an expression, without the word that it is. */
interface Problem {
  readonly path: string
  readonly text: string
}

/** Compiles a policy's expressions for objects of one type: what is wrong with them then. */
export function compileFor(object: KubeObject, { object: type, params }: KnownTypes): Problem[] {
  const problems: Problem[] = []
  const base = bare.with({ object: type, oldObject: type })
  compileAll(object, { base, params, onProblem: (problem) => problems.push(problem) })
  return problems
}

function compileAll(
  object: KubeObject,
  how: { readonly base: Environment; readonly params: Type; onProblem?(problem: Problem): void } = {
    base: bare,
    params: dyn,
  },
): CompiledPolicy {
  const policy = object as ValidatingAdmissionPolicy
  const spec: Spec = policy.spec ?? {}
  const faults: Fault[] = []
  const known = new Map<string, Type>()
  const variables: { name: string; expression: Expression }[] = []
  // Who names no kind of parameters has none to speak of.
  const environment = spec.paramKind ? how.base.with({ params: how.params }) : how.base
  // Each variable sees those before it, and what is known of their types.
  const withVariables = (): Environment =>
    environment.with({ variables: objectOf(Object.fromEntries(known)) })
  const read = (source: string, path: string, returns: readonly string[], env: Environment): Expression => {
    // That something is missing is for the kind's own checks to say.
    if (source.trim() === '') return { source, program: undefined, failure: 'expression is not specified' }
    const { problem, ...expression } = compileExpression(source, returns, env)
    if (problem) {
      faults.push(invalidValue(path, source, problem.told))
      how.onProblem?.({ path, text: problem.message })
    }
    return expression
  }
  const matchConditions = (spec.matchConditions ?? []).map(({ name, expression = '' }, at) => ({
    name,
    expression: read(expression, `spec.matchConditions[${at}].expression`, ['bool'], environment),
  }))
  for (const [at, { name, expression = '' }] of (spec.variables ?? []).entries()) {
    const compiled = read(expression, `spec.variables[${at}].expression`, [], withVariables())
    variables.push({ name, expression: compiled })
    known.set(name, compiled.program?.type ?? dyn)
  }
  const full = withVariables()
  const validations = (spec.validations ?? []).map((validation, at) => ({
    validation,
    expression: read(validation.expression ?? '', `spec.validations[${at}].expression`, ['bool'], full),
    message: validation.messageExpression
      ? read(validation.messageExpression, `spec.validations[${at}].messageExpression`, ['string'], full)
      : undefined,
  }))
  const auditAnnotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression = '' }, at) => ({
    key,
    expression: read(
      valueExpression,
      `spec.auditAnnotations[${at}].valueExpression`,
      ['string', 'null'],
      full,
    ),
  }))
  const name = policy.metadata?.name ?? ''
  return { name, spec, matchConditions, variables, validations, auditAnnotations, faults }
}

/** @param returns the kinds of results that will do; any when empty. */
function compileExpression(
  source: string,
  returns: readonly string[],
  environment: Environment,
): Expression & { readonly problem?: CelCompileError } {
  try {
    const program = compile(source, environment)
    if (returns.length > 0 && !returns.some((kind) => celTypes.fits(program.type, kind))) {
      throw new CelResultError(`must evaluate to ${returns.join(' or ')}`)
    }
    return { source, program, failure: undefined }
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error
    return { source, program: undefined, failure: error.told, problem: error }
  }
}

/** Compiles one condition under which a webhook is asked. */
export function compileCondition(source: string): Expression {
  return compileExpression(source, ['bool'], bare)
}

/** What is wrong with such a condition. */
export function conditionFaults(source: string, path: string): Fault[] {
  const { failure } = compileCondition(source)
  return failure === undefined ? [] : [invalidValue(path, source, failure)]
}

/** What is wrong with the expressions of a policy. Empty ones are somebody else's to complain of. */
export function policyExpressionFaults(object: KubeObject): Fault[] {
  return [...compileAll(object).faults]
}
