import type { IPAddress } from '../../../../kube/index.ts'
import { type Fault, required } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { dnsSubdomain, pathSegment } from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'

type Parent = NonNullable<NonNullable<IPAddress['spec']>['parentRef']>

export const ipAddresses = define<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  namespaced: false,
  shortNames: ['ip'],
  nameRule: 'ip-address',
  validate: ({ spec }) =>
    spec?.parentRef ? parentFaults('spec.parentRef', spec.parentRef) : [required('spec.parentRef')],
  validateUpdate: ({ spec }, old) => immutableField('spec.parentRef', spec?.parentRef, old.spec?.parentRef),
  columns: [
    nameColumn,
    column(
      'ParentRef',
      'ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent object.',
      ({ spec }) => parentText(spec?.parentRef),
    ),
    ageColumn,
  ],
})

function parentFaults(path: string, { group, resource, namespace, name }: Parent): Fault[] {
  const needed = (field: string, value: string | undefined): Fault[] =>
    value ? checked(`${path}.${field}`, value, pathSegment) : [required(`${path}.${field}`)]
  return [
    ...(group ? checked(`${path}.group`, group, dnsSubdomain) : []),
    ...needed('resource', resource),
    ...needed('name', name),
    ...(namespace ? checked(`${path}.namespace`, namespace, pathSegment) : []),
  ]
}

function parentText(parent: Parent | undefined): string {
  if (!parent) return '<none>'
  const { group, resource = '', namespace, name = '' } = parent
  const kind = (group ? `${resource}.${group}` : resource).toLowerCase()
  return [kind, ...(namespace ? [namespace] : []), name].join('/')
}
