import type { ClusterRoleBinding, RoleBinding, Subject } from 'kubernetes-types/rbac/v1.js'
import { type Fault, invalidValue, notSupported, required } from '../faults.ts'
import { checked } from '../validation/checks.ts'
import { dnsSubdomain, pathSegment } from '../validation/names.ts'
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts'
import { type ColumnOf, define, type Of } from './define.ts'

const rbac = 'rbac.authorization.k8s.io'
const subjectKinds = ['ServiceAccount', 'User', 'Group']

type Binding = Of<RoleBinding> | Of<ClusterRoleBinding>

export const roleBindings = define<RoleBinding>({
  group: rbac,
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  createsOnUpdate: true,
  namespaced: true,
  nameRule: 'path-segment',
  setDefaults: fillIn,
  validate: (object) => bindingFaults(object, ['Role', 'ClusterRole']),
  validateUpdate: changeFaults,
  columns: columnsOf(
    'roleBinding',
    'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error. This field is immutable.',
  ),
})

export const clusterRoleBindings = define<ClusterRoleBinding>({
  group: rbac,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  createsOnUpdate: true,
  namespaced: false,
  nameRule: 'path-segment',
  setDefaults: fillIn,
  validate: (object) => bindingFaults(object, ['ClusterRole']),
  validateUpdate: changeFaults,
  columns: columnsOf(
    'clusterRoleBinding',
    'RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error. This field is immutable.',
  ),
})

function fillIn(binding: Binding): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= rbac
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbac
  }
}

function bindingFaults(binding: Binding, roleKinds: readonly string[]): Fault[] {
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {}
  const faults: Fault[] = []
  if (apiGroup !== rbac) faults.push(notSupported('roleRef.apiGroup', apiGroup, [rbac]))
  if (!roleKinds.includes(kind)) faults.push(notSupported('roleRef.kind', kind, roleKinds))
  if (name) faults.push(...checked('roleRef.name', name, pathSegment))
  else faults.push(required('roleRef.name'))
  const isNamespaced = roleKinds.includes('Role')
  for (const [index, subject] of (binding.subjects ?? []).entries()) {
    faults.push(...subjectFaults(`subjects[${index}]`, subject, { isNamespaced }))
  }
  return faults
}

function subjectFaults(
  path: string,
  { kind, name = '', namespace, apiGroup = '' }: Subject,
  { isNamespaced }: { isNamespaced: boolean },
): Fault[] {
  const faults = name ? [] : [required(`${path}.name`)]
  if (kind === 'ServiceAccount') {
    if (name) faults.push(...checked(`${path}.name`, name, dnsSubdomain))
    if (apiGroup) faults.push(notSupported(`${path}.apiGroup`, apiGroup, ['']))
    if (!isNamespaced && !namespace) faults.push(required(`${path}.namespace`))
    return faults
  }
  if (kind !== 'User' && kind !== 'Group') {
    return [...faults, notSupported(`${path}.kind`, kind, subjectKinds)]
  }
  if (!name) {
    faults.push(invalidValue(`${path}.name`, name, `${kind.toLowerCase()} name cannot be empty`))
  }
  if (apiGroup !== rbac) faults.push(notSupported(`${path}.apiGroup`, apiGroup, [rbac]))
  return faults
}

/** A binding that could be turned to another role would hand out rights that its author never weighed. */
function changeFaults(binding: Binding, old: Binding): Fault[] {
  const [now, before] = [binding.roleRef, old.roleRef]
  const isSame =
    now?.apiGroup === before?.apiGroup && now?.kind === before?.kind && now?.name === before?.name
  if (isSame) return []
  const shown = { APIGroup: now?.apiGroup ?? '', Kind: now?.kind ?? '', Name: now?.name ?? '' }
  return [invalidValue('roleRef', shown, 'cannot change roleRef')]
}

function columnsOf(kind: string, roleText: string): ColumnOf<RoleBinding & ClusterRoleBinding>[] {
  const subjects = (binding: Binding, wanted: string): string =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === wanted)
      .map(({ name, namespace }) =>
        wanted === 'ServiceAccount' && namespace ? `${namespace}/${name}` : name,
      )
      .join(', ')
  return [
    nameColumn,
    column('Role', roleText, ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
    ageColumn,
    wideColumn('Users', `Users in the ${kind}`, (binding) => subjects(binding, 'User')),
    wideColumn('Groups', `Groups in the ${kind}`, (binding) => subjects(binding, 'Group')),
    wideColumn('ServiceAccounts', `ServiceAccounts in the ${kind}`, (binding) =>
      subjects(binding, 'ServiceAccount'),
    ),
  ]
}
