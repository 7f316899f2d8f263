import type { ValidatingAdmissionPolicyBinding } from 'kubernetes-types/admissionregistration/v1.js'
import { duplicate, type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { bindingColumns, bindingFaults } from './binding-parts.ts'
import { setMatchDefaults } from './match-resources.ts'

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
    return [...bindingFaults(spec), ...actionFaults('spec.validationActions', spec.validationActions ?? [])]
  },
  columns: [nameColumn, ...bindingColumns(), ageColumn],
})

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
