import type { MatchResources, ParamRef } from 'kubernetes-types/admissionregistration/v1.js'
import { ageColumn, nameColumn } from '../columns.ts'
import { define, storageVersionHash } from '../define.ts'
import { bindingColumns, bindingFaults } from './binding-parts.ts'
import { setMatchDefaults } from './match-resources.ts'

/** Younger than the typed API this program is built with. */
export interface MutatingAdmissionPolicyBinding {
  readonly metadata?: { readonly name?: string }
  spec?: { policyName?: string; paramRef?: ParamRef; matchResources?: MatchResources }
}

export const mutatingAdmissionPolicyBindings = define<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  namespaced: false,
  categories: ['api-extensions'],
  tracksGeneration: true,
  updateNeedsVersion: true,
  // Kubernetes stores it in the version that the release before knows.
  storageVersionHash: storageVersionHash(
    'admissionregistration.k8s.io',
    'v1beta1',
    'MutatingAdmissionPolicyBinding',
  ),
  setDefaults(binding) {
    binding.spec ??= {}
    setMatchDefaults(binding.spec.matchResources)
  },
  validate: ({ spec = {} }) => bindingFaults(spec),
  columns: [nameColumn, ...bindingColumns(), ageColumn],
})
