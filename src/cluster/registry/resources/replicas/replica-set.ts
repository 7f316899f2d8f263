import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { invalidValue, required } from '../../faults.ts'
import { notNegative, selectorMatches, validateLabelSelector } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { podSpecWarnings } from '../../validation/pod/warnings.ts'
import { ageColumn, column, containerColumns, nameColumn, selectorText, wideColumn } from '../columns.ts'
import { define } from '../define.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'
import { selectorMismatch, validateLastingTemplate, validateReplicaStatus } from './checks.ts'

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
    const { selector, template = {} } = spec
    const labels = template.metadata?.labels
    const isEmpty =
      Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length === 0
    const faults = [
      ...notNegative('spec.replicas', spec.replicas),
      ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ]
    if (!selector) faults.push(required('spec.selector'))
    else {
      faults.push(...validateLabelSelector('spec.selector', selector))
      if (isEmpty) {
        faults.push(invalidValue('spec.selector', selector, 'empty selector is invalid for deployment'))
      }
    }
    if (!isEmpty && !selectorMatches(selector, labels)) faults.push(selectorMismatch(labels))
    return [...faults, ...validateLastingTemplate('ReplicaSet', template)]
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
