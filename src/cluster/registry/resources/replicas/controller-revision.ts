import type { ControllerRevision } from 'kubernetes-types/apps/v1.js'
import { required } from '../../faults.ts'
import { notNegative } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'

export const controllerRevisions = define<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  validate: ({ data, revision }) => [
    ...(data === undefined ? [required('data', 'data is mandatory')] : []),
    ...notNegative('revision', revision),
  ],
  validateUpdate: ({ data }, old) => immutableField('data', data, old.data),
  columns: [
    nameColumn,
    column('Controller', 'Controller of the object', ({ metadata }) => {
      const ref = (metadata.ownerReferences ?? []).find(({ controller }) => controller)
      if (ref === undefined) return '<none>'
      const group = ref.apiVersion.includes('/') ? `.${ref.apiVersion.split('/')[0]}` : ''
      return `${ref.kind.toLowerCase()}${group}/${ref.name}`
    }),
    column(
      'Revision',
      'Revision indicates the revision of the state represented by Data.',
      ({ revision }) => revision,
    ),
    ageColumn,
  ],
})
