import type { ReplicationController } from 'kubernetes-types/core/v1.js'
import { required } from '../../faults.ts'
import { notNegative, selectorMatches } from '../../validation/checks.ts'
import { labelsText } from '../columns.ts'
import { define, plain } from '../define.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'
import { selectorMismatch, validateLastingTemplate, validateReplicaStatus } from './checks.ts'
import { keptPodsColumns, replicasScale, warnOfTemplate } from './kept-pods.ts'

export const replicationControllers = define<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  namespaced: true,
  shortNames: ['rc'],
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  defaultPropagation: 'Orphan',
  scale: replicasScale,
  setDefaults(object) {
    object.spec ??= {}
    const { spec } = object
    spec.replicas ??= 1
    object.status ??= { replicas: 0 }
    if (!spec.template) return
    spec.template.spec ??= { containers: [] }
    setPodSpecDefaults(spec.template.spec)
    const labels = spec.template.metadata?.labels
    if (!labels) return
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    const { metadata } = plain(object)
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
  },
  prepareForCreate(object, request) {
    object.status = { replicas: 0 }
    warnOfTemplate(object.spec?.template, request)
  },
  validate({ spec = {} }) {
    const { selector = {}, template } = spec
    const isEmpty = Object.keys(selector).length === 0
    const faults = notNegative('spec.minReadySeconds', spec.minReadySeconds)
    if (isEmpty) faults.push(required('spec.selector'))
    faults.push(...notNegative('spec.replicas', spec.replicas))
    if (!template) return [...faults, required('spec.template')]
    const labels = template.metadata?.labels
    if (!isEmpty && !selectorMatches({ matchLabels: selector }, labels)) faults.push(selectorMismatch(labels))
    return [...faults, ...validateLastingTemplate('ReplicationController', template)]
  },
  validateStatus: ({ status }) => validateReplicaStatus(status),
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  columns: keptPodsColumns(
    {
      desired: 'Replicas is the number of desired replicas.',
      current: 'Replicas is the most recently observed number of replicas.',
      ready: 'The number of ready replicas for this replication controller.',
      selector: 'Selector is a label query over pods that should match the Replicas count.',
    },
    ({ spec }) => labelsText(spec?.selector),
  ),
})
