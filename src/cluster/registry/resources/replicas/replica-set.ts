import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { notNegative } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { podSpecWarnings } from '../../validation/pod/warnings.ts'
import { ageColumn, column, containerColumns, nameColumn, selectorText, wideColumn } from '../columns.ts'
import { define } from '../define.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'
import { validateReplicaStatus, validateSelected } from './checks.ts'

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
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.spec.selector',
  },
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
    const { spec } = object.spec?.template ?? {}
    for (const text of spec ? podSpecWarnings('spec.template.spec', spec) : []) request.warn(text)
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
  columns: [
    nameColumn,
    column(
      'Desired',
      'Replicas is the number of desired pods.',
      ({ spec }) => spec?.replicas ?? 0,
      'integer',
    ),
    column(
      'Current',
      'Replicas is the most recently observed number of non-terminating pods.',
      ({ status }) => status?.replicas ?? 0,
      'integer',
    ),
    column(
      'Ready',
      'The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.',
      ({ status }) => status?.readyReplicas ?? 0,
      'integer',
    ),
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec?.template?.spec?.containers ?? []),
    wideColumn(
      'Selector',
      'Selector is a label query over pods that should match the replica count.',
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
})
