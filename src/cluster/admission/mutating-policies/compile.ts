import type { KubeObject } from '../../../kube/index.ts'
import { celTypes, type Environment, jsonPatches, type ObjectTypes, type Type } from '../../cel/index.ts'
import type { Fault, MutatingAdmissionPolicy } from '../../registry/index.ts'
import { compileCommon, type Expression, type NamedExpression } from '../policies/expressions.ts'

const { dyn, string, listOf } = celTypes

/** Objects of which nothing is known but that their fields have names: whether those fit is seen when they are merged. */
const madeObject = (name: string): Type => ({ kind: name, fields: () => dyn })
const patchFields: Readonly<Record<string, Type>> = { op: string, path: string, from: string, value: dyn }
const jsonPatch: Type = {
  kind: 'JSONPatch',
  fields: (name) => (Object.hasOwn(patchFields, name) ? patchFields[name] : undefined),
}
const objectTypes: ObjectTypes = (name) => {
  if (name === 'JSONPatch') return jsonPatch
  return name === 'Object' || name.startsWith('Object.') ? madeObject(name) : undefined
}
const returns = { ApplyConfiguration: [madeObject('Object')], JSONPatch: [listOf(jsonPatch)] }

export interface CompiledMutation {
  readonly patchType: 'ApplyConfiguration' | 'JSONPatch'
  readonly expression: Expression
}

export interface CompiledMutatingPolicy {
  readonly name: string
  readonly spec: NonNullable<MutatingAdmissionPolicy['spec']>
  readonly matchConditions: readonly NamedExpression[]
  readonly variables: readonly NamedExpression[]
  readonly mutations: readonly CompiledMutation[]
  readonly faults: readonly Fault[]
}

const compiled = new WeakMap<KubeObject, CompiledMutatingPolicy>()

/** Compiles every expression of a stored policy, once; what does not compile is told in `faults`. */
export function compileMutatingPolicy(object: KubeObject): CompiledMutatingPolicy {
  const known = compiled.get(object)
  if (known !== undefined) return known
  const policy = compileAll(object)
  compiled.set(object, policy)
  return policy
}

function compileAll(object: KubeObject): CompiledMutatingPolicy {
  const { metadata, spec = {} } = object as MutatingAdmissionPolicy
  const { matchConditions, variables, environment, reader } = compileCommon(spec)
  // Only these expressions make objects; the others speak of what is there.
  const making: Environment = environment.making(objectTypes, jsonPatches)
  const mutations = (spec.mutations ?? []).map((mutation, index): CompiledMutation => {
    const isPatch = mutation.patchType === 'JSONPatch'
    const source = (isPatch ? mutation.jsonPatch : mutation.applyConfiguration)?.expression ?? ''
    const patchType = isPatch ? 'JSONPatch' : 'ApplyConfiguration'
    const field = isPatch ? 'jsonPatch' : 'applyConfiguration'
    const at = `spec.mutations[${index}].${field}.expression`
    return { patchType, expression: reader.read(source, at, returns[patchType], making) }
  })
  const { faults } = reader
  return { name: metadata?.name ?? '', spec, matchConditions, variables, mutations, faults }
}

/** What is wrong with the expressions of a mutating policy. Empty ones are somebody else's to complain of. */
export function mutatingExpressionFaults(object: KubeObject): Fault[] {
  return [...compileAll(object).faults]
}
