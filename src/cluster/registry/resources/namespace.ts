import type { Namespace } from 'kubernetes-types/core/v1.js'
import { forbidden } from '../../../kube/index.ts'
import { type Fault, invalidValue } from '../faults.ts'
import { qualifiedName } from '../validation/names.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])
const nameLabel = 'kubernetes.io/metadata.name'
const securityLabel = 'pod-security.kubernetes.io/'
const securityModes = ['enforce', 'audit', 'warn']
const securityLevels = ['privileged', 'baseline', 'restricted']

export const namespaces = define<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  shortNames: ['ns'],
  nameRule: 'label',
  // Nobody deletes all of them in one request.
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  hasStatus: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    object.spec ??= {}
    object.status ??= {}
    object.status.phase ||= 'Active'
    const { name } = object.metadata
    // Selectors of policies rely on this label, so nobody may take it off or turn it into a lie.
    if (name) object.metadata.labels = { ...object.metadata.labels, [nameLabel]: name }
  },
  prepareForCreate(object) {
    object.status = { phase: 'Active' }
    const finalizers = object.spec?.finalizers ?? []
    object.spec = {
      ...object.spec,
      finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'],
    }
    const { name } = object.metadata
    if (name) object.metadata.labels = { ...object.metadata.labels, [nameLabel]: name }
  },
  prepareForUpdate(object, old, request) {
    // Finalizers of the spec go through the finalize subresource alone.
    if (request.subresource !== 'finalize' && old.spec?.finalizers) {
      object.spec = { ...object.spec, finalizers: old.spec.finalizers }
    }
  },
  validate(object) {
    const faults: Fault[] = []
    for (const name of object.spec?.finalizers ?? []) {
      for (const text of qualifiedName(name)) faults.push(invalidValue('spec.finalizers', name, text))
      if (!name.includes('/') && !['kubernetes', 'orphan', 'foregroundDeletion'].includes(name)) {
        faults.push(
          invalidValue(
            'spec.finalizers',
            name,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        )
      }
    }
    faults.push(...securityFaults(object.metadata.labels ?? {}))
    return faults
  },
  validateStatus(object) {
    const phase = object.status?.phase ?? ''
    const isGoing = object.metadata.deletionTimestamp !== undefined
    if (phase === (isGoing ? 'Terminating' : 'Active')) return []
    const rule = isGoing
      ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
      : "may only be 'Active' if `deletionTimestamp` is empty"
    return [invalidValue('status.Phase', phase, rule)]
  },
  selectableFields: {
    name: (object) => object.metadata.name ?? '',
    'status.phase': (object) => object.status?.phase ?? '',
  },
  columns: [
    nameColumn,
    column('Status', 'The status of the namespace', (object) => object.status?.phase ?? ''),
    ageColumn,
  ],
  onDeleting(object) {
    object.status = { ...object.status, phase: 'Terminating' }
  },
  isHeld: (object) => (object.spec?.finalizers?.length ?? 0) > 0,
  checkDelete(object) {
    const { name } = object.metadata
    if (name && immortal.has(name)) {
      throw forbidden({ kind: 'namespaces', name }, 'this namespace may not be deleted')
    }
  },
})

/** Levels and versions of Pod Security that no one would enforce. */
function securityFaults(labels: Readonly<Record<string, string>>): Fault[] {
  const faults: Fault[] = []
  for (const mode of securityModes) {
    const level = labels[`${securityLabel}${mode}`]
    if (level !== undefined && !securityLevels.includes(level)) {
      faults.push(
        invalidValue(
          `metadata.labels[${securityLabel}${mode}]`,
          level,
          `must be one of ${securityLevels.join(', ')}`,
        ),
      )
    }
    const version = labels[`${securityLabel}${mode}-version`]
    if (version !== undefined && version !== 'latest' && !/^v1\.([0-9]|[1-9][0-9]*)$/.test(version)) {
      faults.push(
        invalidValue(
          `metadata.labels[${securityLabel}${mode}-version]`,
          version,
          'must be "latest" or "v1.x"',
        ),
      )
    }
  }
  return faults
}
