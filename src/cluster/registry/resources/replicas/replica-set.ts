import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { notNegative } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { selectorText } from '../columns.ts'
import { define } from '../define.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'
import { validateReplicaStatus, validateSelected } from './checks.ts'
import { keptPodsColumns, replicasScale, warnOfTemplate } from './kept-pods.ts'

export const replicaSets = define<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  namespaced: true,
  shortNames: ['rs'],
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  scale: replicasScale,
  setDefaults(object) {
    object.spec ??= { selector: {} }
    object.spec.replicas ??= 1
    object.spec.template ??= {}
    object.spec.template.spec ??= { containers: [] }
    setPodSpecDefaults(object.spec.template.spec)
    object.status ??= { replicas: 0 }
  },
  prepareForCreate(object, request) {
    object.status = { replicas: 0 }
    warnOfTemplate(object.spec?.template, request)
  },
  validate({ spec = { selector: {} } }) {
    return [
      ...notNegative('spec.replicas', spec.replicas),
      ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
      ...validateSelected(spec.selector, spec.template),
    ]
  },
  validateUpdate: ({ spec }, old) => immutableField('spec.selector', spec?.selector, old.spec?.selector),
  validateStatus: ({ status }) => validateReplicaStatus(status),
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  columns: keptPodsColumns(
    {
      desired: 'Replicas is the number of desired pods.',
      current: 'Replicas is the most recently observed number of non-terminating pods.',
      ready: 'The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.',
      selector: 'Selector is a label query over pods that should match the replica count.',
    },
    ({ spec }) => selectorText(spec?.selector),
  ),
})
