import type { JsonObject, KubeObject } from '../../../kube/index.ts'
import {
  type Bindings,
  Budget,
  CelEvaluationError,
  List,
  MadeObject,
  misnamed,
  toJson,
  type Value,
} from '../../cel/index.ts'
import type { ResourceDefinition } from '../../registry/index.ts'
import { mergeConfiguration, MutationError, patchOperations } from '../../registry/patch/index.ts'
import { run, variablesOf } from '../policies/evaluation.ts'
import type { CompiledMutatingPolicy, CompiledMutation } from './compile.ts'

/** What one mutation is made from. */
export interface Mutating {
  readonly policy: CompiledMutatingPolicy
  /** With the parameters; variables are added here. */
  readonly bindings: Bindings
  readonly object: KubeObject
  readonly resource: ResourceDefinition
}

/**
 * Carries out one mutation on a copy.
 *
 * @returns the changed object in the form of its kind, without defaults.
 * @throws {MutationError} when the expression has no value, or when what it says cannot be done.
 */
export function changed(mutation: CompiledMutation, about: Mutating): KubeObject {
  const { policy, object, resource } = about
  const budget = new Budget()
  const variables = variablesOf(policy.variables, about.bindings, budget)
  const outcome = run(mutation.expression, { ...about.bindings, variables }, budget)
  if ('failure' in outcome) throw new MutationError(outcome.failure)
  return mutation.patchType === 'JSONPatch'
    ? patchOperations(object, operationsOf(outcome.value), resource)
    : mergeConfiguration(object, configurationOf(outcome.value), resource)
}

function configurationOf(value: Value): JsonObject {
  if (!(value instanceof MadeObject))
    throw new MutationError('unsupported return type from ApplyConfiguration expression')
  checkNames(value)
  return jsonOf(value, 'invalid return type')
}

function operationsOf(value: Value): JsonObject[] {
  if (!(value instanceof List))
    throw new MutationError('type mismatch: JSONPatchType.expression should evaluate to array')
  return [...value].map((operation) => {
    if (!(operation instanceof MadeObject))
      throw new MutationError('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch')
    const made = operation.get('value')
    if (made instanceof MadeObject) checkNames(made)
    return jsonOf(operation, 'JSONPath valueExpression evaluated to a type that could not marshal to JSON')
  })
}

function checkNames(object: MadeObject): void {
  const faults = misnamed(object)
  if (faults.length > 0) throw new MutationError(`type mismatch: ${faults.join('\n')}`)
}

function jsonOf(object: MadeObject, fault: string): JsonObject {
  try {
    return Object.fromEntries([...object.entries()].map(([field, value]) => [field, toJson(value)]))
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error
    throw new MutationError(`${fault}: ${error.message}`, { cause: error })
  }
}
