import type { Deployment, DeploymentStrategy } from 'kubernetes-types/apps/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { countOrPercent, notMoreThanAll, notNegative } from '../../validation/checks.ts'
import { same } from '../../validation/equality.ts'
import { immutableField } from '../../validation/metadata.ts'
import { nameWarnings, podSpecWarnings } from '../../validation/pod/warnings.ts'
import { ageColumn, column, containerColumns, nameColumn, selectorText, wideColumn } from '../columns.ts'
import { define } from '../define.ts'
import { inOrder } from '../internal-form.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'
import { isNothing, validateCounts, validateSelected } from './checks.ts'
import { readyColumn, replicasScale } from './kept-pods.ts'

const ofDeployments = {
  all: [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'collisionCount',
  ],
  parts: ['updatedReplicas', 'readyReplicas', 'availableReplicas'],
  ready: 'readyReplicas',
} as const

export const deployments = define<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  shortNames: ['deploy'],
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  scale: replicasScale,
  setDefaults(object) {
    object.spec ??= { selector: {}, template: {} }
    const { spec } = object
    spec.replicas ??= 1
    spec.template ??= {}
    spec.template.spec ??= { containers: [] }
    setPodSpecDefaults(spec.template.spec)
    spec.strategy ??= {}
    spec.strategy.type ||= 'RollingUpdate'
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {}
      spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
      spec.strategy.rollingUpdate.maxSurge ??= '25%'
    }
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
    object.status ??= {}
  },
  prepareForCreate(object, request) {
    object.status = {}
    const { spec } = object.spec?.template ?? {}
    const warnings = [
      ...nameWarnings(object.metadata.name ?? '', 'Pod names and hostnames'),
      ...(spec ? podSpecWarnings('spec.template.spec', spec) : []),
    ]
    for (const text of warnings) request.warn(text)
  },
  prepareForUpdate(object, old, request) {
    // Annotations travel to the replica sets: a change of them is one that the controller has to see.
    const changed = !same(object.metadata.annotations ?? {}, old.metadata.annotations ?? {})
    if (changed && request.subresource !== 'status') {
      object.metadata.generation = (old.metadata.generation ?? 0) + 1
    }
  },
  validate({ spec = { selector: {}, template: {} } }) {
    const { minReadySeconds = 0, progressDeadlineSeconds: deadline, revisionHistoryLimit } = spec
    const faults = [
      ...notNegative('spec.replicas', spec.replicas),
      ...validateSelected(spec.selector, spec.template),
      ...validateStrategy('spec.strategy', spec.strategy ?? {}),
      ...notNegative('spec.minReadySeconds', minReadySeconds),
      ...notNegative('spec.revisionHistoryLimit', revisionHistoryLimit),
      ...notNegative('spec.progressDeadlineSeconds', deadline),
    ]
    if (deadline !== undefined && deadline <= minReadySeconds) {
      const text = 'must be greater than minReadySeconds'
      faults.push(invalidValue('spec.progressDeadlineSeconds', deadline, text))
    }
    return faults
  },
  validateUpdate: ({ spec }, old) => immutableField('spec.selector', spec?.selector, old.spec?.selector),
  validateStatus: ({ status }, old) => validateCounts(status, old.status, ofDeployments),
  columns: [
    nameColumn,
    readyColumn,
    column(
      'Up-to-date',
      'Total number of non-terminating pods targeted by this deployment that have the desired template spec.',
      ({ status }) => status?.updatedReplicas ?? 0,
    ),
    column(
      'Available',
      'Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.',
      ({ status }) => status?.availableReplicas ?? 0,
    ),
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec?.template?.spec?.containers ?? []),
    wideColumn(
      'Selector',
      'Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment.',
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
})

function validateStrategy(path: string, strategy: DeploymentStrategy): Fault[] {
  const { type, rollingUpdate } = strategy
  const at = `${path}.rollingUpdate`
  if (type === 'Recreate') {
    const text = "may not be specified when strategy `type` is 'Recreate'"
    return rollingUpdate === undefined ? [] : [forbiddenField(at, text)]
  }
  if (type !== 'RollingUpdate') {
    const shown = {
      Type: type ?? '',
      RollingUpdate: rollingUpdate ? inOrder(rollingUpdate, ['maxUnavailable', 'maxSurge']) : null,
    }
    return [notSupported(path, shown, ['Recreate', 'RollingUpdate'])]
  }
  if (rollingUpdate === undefined) return [required(at, 'this should be defaulted and never be nil')]
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  const faults = [
    ...countOrPercent(`${at}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${at}.maxSurge`, maxSurge),
  ]
  if (isNothing(maxUnavailable) && isNothing(maxSurge)) {
    faults.push(invalidValue(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  }
  return [...faults, ...notMoreThanAll(`${at}.maxUnavailable`, maxUnavailable)]
}
