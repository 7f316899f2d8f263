import type { IngressClass, IngressClassParametersReference } from 'kubernetes-types/networking/v1.js'
import { type Fault, forbiddenField, notSupported, required, tooLong } from '../../faults.ts'
import { checked, domainPrefixedPath } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { byteLength, dnsLabel } from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { localReferenceFaults } from './local-reference.ts'

const mostControllerBytes = 250

export const ingressClasses = define<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  tracksGeneration: true,
  setDefaults(object) {
    object.spec ??= {}
    if (object.spec.parameters) object.spec.parameters.scope ??= 'Cluster'
  },
  validate: ({ spec: { controller = '', parameters } = {} }) => [
    ...(byteLength(controller) > mostControllerBytes
      ? [tooLong('spec.controller', mostControllerBytes)]
      : []),
    ...domainPrefixedPath('spec.controller', controller),
    ...(parameters ? parametersFaults('spec.parameters', parameters) : []),
  ],
  validateUpdate: ({ spec }, old) =>
    immutableField('spec.controller', spec?.controller, old.spec?.controller),
  columns: [
    nameColumn,
    column(
      'Controller',
      'Controller that is responsible for handling this class',
      ({ spec }) => spec?.controller ?? '',
    ),
    column('Parameters', 'A reference to a resource with additional parameters', ({ spec }) => {
      if (!spec?.parameters) return '<none>'
      const { apiGroup, kind, name } = spec.parameters
      return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`
    }),
    ageColumn,
  ],
})

const scopes = ['Cluster', 'Namespace']

function parametersFaults(path: string, reference: IngressClassParametersReference): Fault[] {
  const faults = localReferenceFaults(path, reference)
  const { scope, namespace } = reference
  if (scope === undefined) return [...faults, required(`${path}.scope`)]
  if (!scopes.includes(scope)) return [...faults, notSupported(`${path}.scope`, scope, scopes)]
  const at = `${path}.namespace`
  if (scope === 'Namespace') {
    faults.push(
      ...(namespace === undefined
        ? [required(at, "`parameters.scope` is set to 'Namespace'")]
        : checked(at, namespace, dnsLabel)),
    )
  } else if (namespace !== undefined) {
    faults.push(forbiddenField(at, "`parameters.scope` is set to 'Cluster'"))
  }
  return faults
}
