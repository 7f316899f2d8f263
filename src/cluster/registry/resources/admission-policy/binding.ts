import type { ParamRef, ValidatingAdmissionPolicyBinding } from 'kubernetes-types/admissionregistration/v1.js'
import { duplicate, type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { checked, requiredChoice, validateLabelSelector } from '../../validation/checks.ts'
import { dnsSubdomain, pathSegment } from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { setMatchDefaults, validateMatch } from './match-resources.ts'

export const validatingAdmissionPolicyBindings = define<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  namespaced: false,
  categories: ['api-extensions'],
  tracksGeneration: true,
  updateNeedsVersion: true,
  setDefaults(binding) {
    binding.spec ??= {}
    setMatchDefaults(binding.spec.matchResources)
  },
  validate({ spec = {} }) {
    const { policyName, paramRef, matchResources, validationActions = [] } = spec
    return [
      ...(policyName ? checked('spec.policyName', policyName, dnsSubdomain) : [required('spec.policyName')]),
      ...(paramRef ? paramFaults('spec.paramRef', paramRef) : []),
      ...(matchResources ? validateMatch('spec.matchResources', matchResources) : []),
      ...actionFaults('spec.validationActions', validationActions),
    ]
  },
  columns: [
    nameColumn,
    column(
      'PolicyName',
      'PolicyName indicates the policy definition which the policy binding binded to',
      ({ spec }) => spec?.policyName ?? '',
    ),
    column(
      'ParamRef',
      'ParamRef indicates the param resource which sets the configration param',
      ({ spec }) => {
        const { name = '', namespace } = spec?.paramRef ?? {}
        if (!spec?.paramRef) return '<unset>'
        return namespace ? `${namespace}/${name}` : name
      },
    ),
    ageColumn,
  ],
})

function paramFaults(path: string, reference: ParamRef): Fault[] {
  const { name, selector, parameterNotFoundAction: action } = reference
  const exclusive = 'name and selector are mutually exclusive'
  const faults: Fault[] = []
  if (name) {
    faults.push(...checked(`${path}.name`, name, pathSegment))
    if (selector) faults.push(forbiddenField(`${path}.name`, exclusive))
  }
  if (selector) {
    faults.push(...validateLabelSelector(`${path}.selector`, selector))
    if (name) faults.push(forbiddenField(`${path}.selector`, exclusive))
  }
  if (!name && !selector) {
    faults.push(required(path, 'one of name or selector must be specified'))
  }
  return [...faults, ...requiredChoice(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow'])]
}

const actions = ['Audit', 'Deny', 'Warn']

function actionFaults(path: string, values: readonly string[]): Fault[] {
  const faults: Fault[] = []
  for (const [index, value] of values.entries()) {
    if (!actions.includes(value)) faults.push(notSupported(`${path}[${index}]`, value, actions))
    if (values.indexOf(value) < index) faults.push(duplicate(`${path}[${index}]`, value))
  }
  if (values.includes('Deny') && values.includes('Warn')) {
    const text =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'
    faults.push(invalidValue(path, values, text))
  }
  if (values.length === 0) {
    faults.push(required(path, 'at least one validation action is required'))
  }
  return faults
}
