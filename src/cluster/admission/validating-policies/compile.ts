import type { ValidatingAdmissionPolicy, Validation } from 'kubernetes-types/admissionregistration/v1.js'
import type { KubeObject } from '../../../kube/index.ts'
import { celTypes } from '../../cel/index.ts'
import type { Fault } from '../../registry/index.ts'
import {
  compileCommon,
  type Expression,
  type KnownTypes,
  type NamedExpression,
  type Problem,
} from '../policies/expressions.ts'

const { bool, string } = celTypes
const none = celTypes.opaque('null')

type Spec = NonNullable<ValidatingAdmissionPolicy['spec']>

export interface CompiledValidation {
  readonly validation: Validation
  readonly expression: Expression
  readonly message: Expression | undefined
}

export interface CompiledPolicy {
  readonly name: string
  readonly spec: Spec
  readonly matchConditions: readonly NamedExpression[]
  readonly variables: readonly NamedExpression[]
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

/** Compiles a policy's expressions for objects of one type: what is wrong with them then. */
export function compileFor(object: KubeObject, types: KnownTypes): Problem[] {
  const problems: Problem[] = []
  compileAll(object, { types, onProblem: (problem) => problems.push(problem) })
  return problems
}

function compileAll(object: KubeObject, how: Parameters<typeof compileCommon>[1] = {}): CompiledPolicy {
  const policy = object as ValidatingAdmissionPolicy
  const spec: Spec = policy.spec ?? {}
  const { matchConditions, variables, environment, reader } = compileCommon(spec, how)
  const validations = (spec.validations ?? []).map((validation, index) => {
    const at = `spec.validations[${index}]`
    const { expression = '', messageExpression } = validation
    return {
      validation,
      expression: reader.read(expression, `${at}.expression`, [bool], environment),
      message: messageExpression
        ? reader.read(messageExpression, `${at}.messageExpression`, [string], environment)
        : undefined,
    }
  })
  const auditAnnotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression = '' }, index) => {
    const at = `spec.auditAnnotations[${index}].valueExpression`
    return { key, expression: reader.read(valueExpression, at, [string, none], environment) }
  })
  const name = policy.metadata?.name ?? ''
  const { faults } = reader
  return { name, spec, matchConditions, variables, validations, auditAnnotations, faults }
}

/** What is wrong with the expressions of a policy. Empty ones are somebody else's to complain of. */
export function policyExpressionFaults(object: KubeObject): Fault[] {
  return [...compileAll(object).faults]
}
