import type {
  AuditAnnotation,
  ParamKind,
  ValidatingAdmissionPolicy,
  Validation,
  Variable,
} from 'kubernetes-types/admissionregistration/v1.js'
import type { KubeObject } from '../../../../kube/index.ts'
import { duplicate, type Fault, invalidValue, required } from '../../faults.ts'
import type { ResourceDefinition } from '../../resource.ts'
import { optionalChoice, requiredChoice } from '../../validation/checks.ts'
import { byteLength, dns1035Label, dnsSubdomain, qualifiedName } from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define, plain } from '../define.ts'
import { conditionFaults, isBlank } from './match-conditions.ts'
import { setMatchDefaults, validateMatch } from './match-resources.ts'

/** Faults of the expressions of a policy: whoever runs them knows whether they compile. */
export type PolicyCheck = (policy: KubeObject) => Fault[]

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
      column(
        'ParamKind',
        'ParamKind specifies the kind of resources used to parameterize this policy',
        ({ spec }) =>
          spec?.paramKind ? `${spec.paramKind.apiVersion ?? ''}/${spec.paramKind.kind ?? ''}` : '<unset>',
      ),
      ageColumn,
    ],
  })
}

const most = { annotations: 20, annotationBytes: 5 * 1024 }

function specFaults(spec: Spec, name: string): Fault[] {
  const { matchConstraints, validations = [], auditAnnotations = [] } = spec
  const faults = requiredChoice('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore'])
  if (spec.paramKind) faults.push(...paramKindFaults('spec.paramKind', spec.paramKind))
  if (matchConstraints) {
    faults.push(...validateMatch('spec.matchConstraints', matchConstraints))
    if (!matchConstraints.resourceRules?.length) {
      faults.push(required('spec.matchConstraints.resourceRules'))
    }
  } else faults.push(required('spec.matchConstraints'))
  faults.push(...conditionFaults('spec.matchConditions', spec.matchConditions ?? []))
  faults.push(...variableFaults('spec.variables', spec.variables ?? []))
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

function paramKindFaults(path: string, { apiVersion = '', kind = '' }: ParamKind): Fault[] {
  return [
    ...apiVersionFaults(`${path}.apiVersion`, apiVersion),
    ...(kind ? kindFaults(`${path}.kind`, kind) : [required(`${path}.kind`)]),
  ]
}

function apiVersionFaults(path: string, apiVersion: string): Fault[] {
  if (apiVersion === '') return [required(path)]
  const parts = apiVersion.split('/')
  if (parts.length > 2) {
    return [invalidValue(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  }
  const version = parts.at(-1) ?? ''
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  const wrong = group === '' ? [] : dnsSubdomain(group)
  const faults = wrong.length > 0 ? [invalidValue(path, group, wrong.join(','))] : []
  if (version === '') return [...faults, invalidValue(path, apiVersion, 'version must be specified')]
  const wrongVersion = dns1035Label(version)
  return wrongVersion.length > 0 ? [...faults, invalidValue(path, version, wrongVersion.join(','))] : faults
}

function kindFaults(path: string, kind: string): Fault[] {
  const wrong = dns1035Label(kind.toLowerCase())
  if (wrong.length === 0) return []
  const text = `may have mixed case, but should otherwise match: ${wrong.join(',')}`
  return [invalidValue(path, kind, text)]
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function variableFaults(path: string, variables: readonly Variable[]): Fault[] {
  return variables.flatMap(({ name = '', expression }, index) => {
    const faults: Fault[] = []
    if (isBlank(name)) faults.push(required(`${path}[${index}].name`, 'name is not specified'))
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || reserved.has(name)) {
      faults.push(invalidValue(`${path}[${index}].name`, name, 'name is not a valid CEL identifier'))
    }
    if (isBlank(expression)) {
      faults.push(required(`${path}[${index}].expression`, 'expression is not specified'))
    }
    return faults
  })
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
