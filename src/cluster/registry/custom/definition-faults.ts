import type { CustomResourceDefinitionSpec } from 'kubernetes-types/apiextensions/v1.js'
import { type Fault, invalidValue, notSupported, required } from '../faults.ts'
import { dnsSubdomain } from '../validation/names.ts'
import { conversionFaults } from './conversion-faults.ts'
import { nameFaults } from './name-faults.ts'
import { versionsFaults } from './version-faults.ts'

const approval = 'api-approved.kubernetes.io'

/** Faults of a CRD's `spec`, in the order and the words of the API server. */
export function specFaults(
  spec: CustomResourceDefinitionSpec,
  annotations: Readonly<Record<string, string>>,
): Fault[] {
  return [
    ...groupFaults(spec.group),
    ...(['Cluster', 'Namespaced'].includes(spec.scope)
      ? []
      : spec.scope
        ? [notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced'])]
        : [required('spec.scope')]),
    ...versionsFaults(spec.versions ?? []),
    ...nameFaults(spec.names, 'spec.names'),
    ...conversionFaults('spec.conversion', spec.conversion),
    ...(spec.preserveUnknownFields
      ? [
          invalidValue(
            'spec.preserveUnknownFields',
            true,
            'must be false in order to use defaults in the schema',
          ),
        ]
      : []),
    ...approvalFaults(spec.group, annotations),
  ]
}

function groupFaults(group: string): Fault[] {
  if (!group) return [required('spec.group')]
  const wrong = dnsSubdomain(group)
  if (wrong.length > 0) return [invalidValue('spec.group', group, wrong.join(','))]
  return group.includes('.')
    ? []
    : [invalidValue('spec.group', group, 'should be a domain with at least one dot')]
}

function approvalFaults(group: string, annotations: Readonly<Record<string, string>>): Fault[] {
  const isProtected = /(^|\.)(k8s|kubernetes)\.io$/.test(group)
  if (!isProtected) return []
  const at = `metadata.annotations[${approval}]`
  const given = annotations[approval]
  if (!given) {
    return [
      required(
        at,
        `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`,
      ),
    ]
  }
  if (given.startsWith('unapproved') || URL.canParse(given)) return []
  return [invalidValue(at, given, 'must be a URL or start with "unapproved"')]
}
