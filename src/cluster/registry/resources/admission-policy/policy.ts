import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  Validation,
} from 'kubernetes-types/admissionregistration/v1.js'
import { duplicate, type Fault, invalidValue, required } from '../../faults.ts'
import type { ResourceDefinition } from '../../resource.ts'
import { optionalChoice } from '../../validation/checks.ts'
import { byteLength, qualifiedName } from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define, plain } from '../define.ts'
import { isBlank } from './match-conditions.ts'
import { setMatchDefaults } from './match-resources.ts'
import { commonFaults, paramKindColumn, type PolicyCheck } from './policy-parts.ts'

type Spec = NonNullable<ValidatingAdmissionPolicy['spec']>

/** Validating admission policies, with `checkExpressions` looking at every expression that is there at all. */
export function validatingAdmissionPolicies(checkExpressions?: PolicyCheck): ResourceDefinition {
  return define<ValidatingAdmissionPolicy & { status?: object }>({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'ValidatingAdmissionPolicy',
    plural: 'validatingadmissionpolicies',
    namespaced: false,
    categories: ['api-extensions'],
    hasStatus: true,
    tracksGeneration: true,
    updateNeedsVersion: true,
    setDefaults(policy) {
      policy.spec ??= {}
      policy.spec.failurePolicy ||= 'Fail'
      setMatchDefaults(policy.spec.matchConstraints)
    },
    prepareForCreate(policy) {
      policy.status = {}
    },
    validate: (policy) => [
      ...specFaults(policy.spec ?? {}, policy.metadata.name ?? ''),
      ...(checkExpressions?.(plain(policy)) ?? []),
    ],
    columns: [
      nameColumn,
      column(
        'Validations',
        'Validations indicates the number of validation rules defined in this configuration',
        ({ spec }) => spec?.validations?.length ?? 0,
        'integer',
      ),
      paramKindColumn(),
      ageColumn,
    ],
  })
}

const most = { annotations: 20, annotationBytes: 5 * 1024 }

function specFaults(spec: Spec, name: string): Fault[] {
  const { validations = [], auditAnnotations = [] } = spec
  const faults = commonFaults(spec)
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const text = 'validations or auditAnnotations must contain at least one item'
    return [...faults, required('spec.validations', text), required('spec.auditAnnotations', text)]
  }
  return [
    ...faults,
    ...validations.flatMap((one, index) => validationFaults(`spec.validations[${index}]`, one)),
    ...annotationFaults('spec.auditAnnotations', auditAnnotations, name),
  ]
}

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']

function validationFaults(path: string, validation: Validation): Fault[] {
  const { expression, message = '', messageExpression = '', reason } = validation
  const faults: Fault[] = []
  if (isBlank(expression)) faults.push(required(`${path}.expression`, 'expression is not specified'))
  if (messageExpression && isBlank(messageExpression)) {
    const text = 'must be non-empty if specified'
    faults.push(invalidValue(`${path}.messageExpression`, messageExpression, text))
  }
  if (message && isBlank(message)) {
    const text = 'message must be non-empty if specified'
    faults.push(invalidValue(`${path}.message`, message, text))
  } else if (/[\n\r]/.test(message.trim())) {
    faults.push(invalidValue(`${path}.message`, message, 'message must not contain line breaks'))
  }
  return [...faults, ...optionalChoice(`${path}.reason`, reason, reasons)]
}

function annotationFaults(path: string, annotations: readonly AuditAnnotation[], policy: string): Fault[] {
  const faults: Fault[] = []
  if (annotations.length > most.annotations) {
    const text = `must not have more than ${most.annotations} auditAnnotations`
    faults.push(invalidValue(path, annotations, text))
  }
  const keys = new Set<string>()
  for (const [index, { key, valueExpression }] of annotations.entries()) {
    const at = `${path}[${index}]`
    // In the audit log the key stands behind the name of its policy.
    for (const text of qualifiedName(`${policy}/${key}`)) {
      faults.push(invalidValue(`${at}.key`, `${policy}/${key}`, text))
    }
    if (isBlank(valueExpression)) {
      faults.push(required(`${at}.valueExpression`, 'valueExpression is not specified'))
    } else if (byteLength(valueExpression.trim()) > most.annotationBytes) {
      const text = `must not exceed ${most.annotationBytes} bytes in length`
      faults.push(required(`${at}.valueExpression`, text))
    }
    if (keys.has(key)) faults.push(duplicate(`${at}.key`, key))
    keys.add(key)
  }
  return faults
}
