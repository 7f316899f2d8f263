import { type KubeObject, StatusError } from '../../kube/index.ts'
import { type Bindings, fromJson } from '../cel/index.ts'
import type { Admission, Admitter, MutatingAdmissionPolicyBinding, Turn } from '../registry/index.ts'
import { MutationError } from '../registry/patch/index.ts'
import type { AdmissionContext } from './context.ts'
import { type CompiledMutatingPolicy, compileMutatingPolicy } from './mutating-policies/compile.ts'
import { changed } from './mutating-policies/evaluate.ts'
import { requestBindings } from './policies/bindings.ts'
import { boundPolicies } from './policies/bound.ts'
import { conditionsHold } from './policies/evaluation.ts'
import { isExempt, matches } from './policies/matching.ts'
import { MisconfiguredError, parametersOf } from './policies/parameters.ts'
import { refused } from './refusal.ts'

const policies = 'admissionregistration.k8s.io/mutatingadmissionpolicies'
const bindings = 'admissionregistration.k8s.io/mutatingadmissionpolicybindings'

/** One policy by one binding with one object of parameters. */
interface Invocation {
  readonly policy: CompiledMutatingPolicy
  readonly binding: string
  readonly parameters: KubeObject | undefined
}

interface Failure {
  readonly policy: CompiledMutatingPolicy
  readonly binding: string
  readonly message: string
  readonly reason?: string
}

/**
 * Applies MutatingAdmissionPolicies (https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/):
 * those of one object in the order of their names. They change whole objects; what is sent to a subresource in a form of
 * its own, as an eviction, stays as it is.
 */
export function mutatingPolicies(context: AdmissionContext): Admitter {
  const { reader } = context
  const bound = boundPolicies<CompiledMutatingPolicy, MutatingAdmissionPolicyBinding>(
    reader,
    { policies, bindings },
    compileMutatingPolicy,
  )
  /** What may run again in the second turn. */
  const invoked = new WeakMap<Turn, Set<string>>()

  function invocationsFor(admission: Admission, failures: Failure[]): Invocation[] {
    const found: Invocation[] = []
    for (const { policy, bindings: own } of bound()) {
      if (!matches(policy.spec.matchConstraints, admission, reader)) continue
      for (const { metadata, spec } of own) {
        if (!matches(spec?.matchResources, admission, reader)) continue
        const binding = metadata?.name ?? ''
        try {
          const { namespace } = admission.request
          for (const parameters of parametersOf(policy.spec.paramKind, spec?.paramRef, namespace, context))
            found.push({ policy, binding, parameters })
        } catch (error) {
          if (!(error instanceof MisconfiguredError)) throw error
          failures.push({ policy, binding, message: `failed to configure binding: ${error.message}` })
        }
      }
    }
    return found
  }

  /** @returns true when the policy looked at the request. */
  function invoke(
    admission: Admission,
    { policy, binding, parameters }: Invocation,
    failures: Failure[],
  ): boolean {
    const { object, request } = admission
    if (object === undefined) return false
    const seen = (): Bindings => ({
      ...requestBindings(admission, context),
      params: fromJson(parameters ?? null),
    })
    const condition = conditionsHold(policy.matchConditions, seen())
    if (typeof condition === 'string')
      failures.push({ policy, binding, message: condition, reason: 'Invalid' })
    if (condition !== true) return false
    for (const mutation of policy.mutations) {
      try {
        const about = { policy, bindings: seen(), object, resource: request.resource }
        replace(object, changed(mutation, about))
        request.resource.setDefaults?.(object)
      } catch (error) {
        if (!(error instanceof MutationError)) throw error
        failures.push({ policy, binding, message: error.message, reason: 'Invalid' })
      }
    }
    return true
  }

  return {
    name: 'MutatingAdmissionPolicy',
    mutate(admission: Admission, turn: Turn): void {
      if (reader.count(policies) === 0 || isExempt(admission) || !isWhole(admission)) return
      const failures: Failure[] = []
      const before = invoked.get(turn)
      const now = new Set<string>()
      for (const one of invocationsFor(admission, failures)) {
        const key = keyOf(one)
        if (turn.isSecond && !before?.has(key)) continue
        if (!invoke(admission, one, failures)) continue
        turn.wantsSecond()
        if (one.policy.spec.reinvocationPolicy === 'IfNeeded') now.add(key)
      }
      if (!turn.isSecond) invoked.set(turn, now)
      const fatal = failures.filter(({ policy }) => policy.spec.failurePolicy !== 'Ignore')
      if (fatal.length > 0) throw denied(admission, fatal)
    },
  }
}

function isWhole({ operation, request, object }: Admission): boolean {
  return (operation === 'CREATE' || operation === 'UPDATE') && object?.kind === request.resource.kind
}

function keyOf({ policy, binding, parameters }: Invocation): string {
  const { namespace = '', name = '' } = parameters?.metadata ?? {}
  return JSON.stringify([policy.name, binding, namespace, name])
}

/** The request's own copy becomes the other object. */
function replace(object: KubeObject, next: KubeObject): void {
  if (next === object) return
  for (const field of Object.keys(object)) if (!(field in next)) delete object[field]
  // Not by assignment: a field may be called __proto__.
  Object.defineProperties(object, Object.getOwnPropertyDescriptors(next))
}

function denied(admission: Admission, failures: readonly Failure[]): StatusError {
  const messages = failures.map(
    ({ policy, binding, message }) =>
      `policy '${policy.name}' with binding '${binding}' denied request: ${message}`,
  )
  const { status } = refused(
    admission,
    '',
    messages.map((message) => ({ message })),
  )
  const [message = ''] = messages
  return new StatusError({ ...status, message, reason: failures[0]?.reason ?? 'Forbidden' })
}
