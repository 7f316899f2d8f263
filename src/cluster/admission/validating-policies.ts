import type { Admission, Admitter } from '../registry/index.ts'
import type { ValidatingAdmissionPolicyBinding } from 'kubernetes-types/admissionregistration/v1.js'
import { StatusError } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { refused } from './refusal.ts'
import { requestBindings } from './policies/bindings.ts'
import { type Bound, boundPolicies } from './policies/bound.ts'
import { isExempt, matches } from './policies/matching.ts'
import { MisconfiguredError, parametersOf } from './policies/parameters.ts'
import { type CompiledPolicy, compilePolicy } from './validating-policies/compile.ts'
import { evaluate, type Objection, type Verdict } from './validating-policies/evaluate.ts'
import type { Bindings } from '../cel/index.ts'

const policies = 'admissionregistration.k8s.io/validatingadmissionpolicies'
const bindings = 'admissionregistration.k8s.io/validatingadmissionpolicybindings'
const failureKey = 'validation.policy.admission.k8s.io/validation_failure'

type BoundPolicy = Bound<CompiledPolicy, ValidatingAdmissionPolicyBinding>

interface Denial {
  readonly policy: string
  readonly binding: string
  readonly objection: Objection
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
}

/** Applies ValidatingAdmissionPolicies (https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/). */
export function validatingPolicies(context: AdmissionContext): Admitter {
  const { reader } = context
  const bound = boundPolicies<CompiledPolicy, ValidatingAdmissionPolicyBinding>(
    reader,
    { policies, bindings },
    compilePolicy,
  )

  function judge(
    admission: Admission,
    { policy, bindings: own }: BoundPolicy,
    request: () => Bindings,
  ): Denial[] {
    const denials: Denial[] = []
    for (const binding of own) {
      if (!matches(binding.spec?.matchResources, admission, reader)) continue
      const name = binding.metadata?.name ?? ''
      for (const objection of objectionsOf(admission, policy, binding, request)) {
        const isDenied = tell(admission, { policy: policy.name, binding: name, objection }, binding)
        if (isDenied) denials.push({ policy: policy.name, binding: name, objection })
      }
    }
    return denials
  }

  function objectionsOf(
    admission: Admission,
    policy: CompiledPolicy,
    binding: ValidatingAdmissionPolicyBinding,
    request: () => Bindings,
  ): Objection[] {
    const verdicts: Verdict[] = []
    try {
      const { paramKind } = policy.spec
      const found = parametersOf(paramKind, binding.spec?.paramRef, admission.request.namespace, context)
      for (const parameters of found) verdicts.push(evaluate(policy, request(), parameters))
    } catch (error) {
      if (!(error instanceof MisconfiguredError)) throw error
      return policy.spec.failurePolicy === 'Ignore'
        ? []
        : [{ message: `failed to configure binding: ${error.message}`, isFinal: true }]
    }
    for (const { annotations } of verdicts) {
      for (const [key, value] of annotations) admission.request.annotate?.(key, value)
    }
    return verdicts.flatMap(({ objections }) => objections)
  }

  return {
    name: 'ValidatingAdmissionPolicy',
    validate(admission: Admission): void {
      if (reader.count(policies) === 0 || isExempt(admission)) return
      let made: Bindings | undefined
      const request = (): Bindings => (made ??= requestBindings(admission, context))
      let first: Denial | undefined
      for (const one of bound()) {
        if (!matches(one.policy.spec.matchConstraints, admission, reader)) continue
        // All have their say, even when one has refused already: warnings and audit must be complete.
        const [denial] = judge(admission, one, request)
        first ??= denial
      }
      if (first !== undefined) throw denied(admission, first)
    },
  }
}

/** Does with an objection what the binding wants; true when that is to refuse the request. */
function tell(admission: Admission, denial: Denial, binding: ValidatingAdmissionPolicyBinding): boolean {
  const actions = binding.spec?.validationActions ?? []
  const { policy, objection } = denial
  if (actions.includes('Warn')) {
    admission.request.warn(
      `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${denial.binding}': ${objection.message}`,
    )
  }
  if (actions.includes('Audit')) {
    admission.request.annotate?.(
      failureKey,
      JSON.stringify([
        {
          message: objection.message,
          policy,
          binding: denial.binding,
          expressionIndex: objection.at ?? 0,
          validationActions: actions,
        },
      ]),
    )
  }
  return actions.includes('Deny') || objection.isFinal === true
}

function denied(admission: Admission, { policy, binding, objection }: Denial): StatusError {
  const message = `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${objection.message}`
  const reason = objection.reason ?? 'Invalid'
  const { status } = refused(admission, message, [{ message }])
  return new StatusError({ ...status, reason, code: codes[reason] ?? 422 })
}
