import type { DaemonSet } from 'kubernetes-types/apps/v1.js'
import { type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import {
  countOrPercent,
  notMoreThanAll,
  notNegative,
  selectorMatches,
  validateLabelSelector,
} from '../../validation/checks.ts'
import { same } from '../../validation/equality.ts'
import { immutableField } from '../../validation/metadata.ts'
import {
  ageColumn,
  column,
  containerColumns,
  labelsText,
  nameColumn,
  selectorText,
  wideColumn,
} from '../columns.ts'
import { define, type Of } from '../define.ts'
import { inOrder } from '../internal-form.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'
import { isNothing, selectorMismatch, validateLastingTemplate } from './checks.ts'
import { warnOfTemplate } from './kept-pods.ts'

type Spec = NonNullable<DaemonSet['spec']>
type Status = NonNullable<DaemonSet['status']>

/** Counts the changes of the template; kept as an annotation since the field for it is gone. */
const templateGeneration = 'deprecated.daemonset.template.generation'
const nothingYet: Status = {
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
}

export const daemonSets = define<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  namespaced: true,
  shortNames: ['ds'],
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  setDefaults(object) {
    object.spec ??= { selector: {}, template: {} }
    const { spec } = object
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0
    }
    spec.revisionHistoryLimit ??= 10
    spec.template ??= {}
    spec.template.spec ??= { containers: [] }
    setPodSpecDefaults(spec.template.spec)
    object.status ??= { ...nothingYet }
  },
  prepareForCreate(object, request) {
    object.status = { ...nothingYet }
    setTemplateGeneration(object, Math.max(1, templateGenerationOf(object)))
    warnOfTemplate(object.spec?.template, request)
  },
  prepareForUpdate(object, old) {
    const isChanged = !same(object.spec?.template, old.spec?.template)
    setTemplateGeneration(object, templateGenerationOf(old) + (isChanged ? 1 : 0))
  },
  validate({ spec = { selector: {}, template: {} } }) {
    const { selector, template } = spec
    const faults = validateLabelSelector('spec.selector', selector)
    const { labels } = template.metadata ?? {}
    if (!selectorMatches(selector, labels)) faults.push(selectorMismatch(labels))
    const count = Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length
    if (selector && count === 0) {
      faults.push(invalidValue('spec.selector', selector, 'empty selector is invalid for daemonset'))
    }
    return [
      ...faults,
      ...validateLastingTemplate('DaemonSet', template),
      ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
      ...strategyFaults(spec),
      ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ]
  },
  validateUpdate: ({ spec }, old) => immutableField('spec.selector', spec?.selector, old.spec?.selector),
  validateStatus({ status }, old) {
    const faults = statusCounts.flatMap((field) => notNegative(`status.${field}`, status?.[field]))
    const before = old.status?.collisionCount
    const now = status?.collisionCount
    if (before !== undefined && (now === undefined || now < before)) {
      faults.push(invalidValue('status.collisionCount', now ?? 0, 'cannot be decremented'))
    }
    return faults
  },
  columns: [
    nameColumn,
    count(
      'Desired',
      'desiredNumberScheduled',
      'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod). More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/',
    ),
    count(
      'Current',
      'currentNumberScheduled',
      'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/',
    ),
    count(
      'Ready',
      'numberReady',
      'numberReady is the number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition.',
    ),
    count(
      'Up-to-date',
      'updatedNumberScheduled',
      'The total number of nodes that are running updated daemon pod',
    ),
    count(
      'Available',
      'numberAvailable',
      'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available (ready for at least spec.minReadySeconds)',
    ),
    column(
      'Node Selector',
      "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a node's labels for the pod to be scheduled on that node. More info: https://kubernetes.io/docs/concepts/configuration/assign-pod-node/",
      ({ spec }) => labelsText(spec?.template?.spec?.nodeSelector),
    ),
    ageColumn,
    ...containerColumns<DaemonSet>(({ spec }) => spec?.template?.spec?.containers ?? []),
    wideColumn(
      'Selector',
      "A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
})

const statusCounts = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const

function count(name: string, field: (typeof statusCounts)[number], description: string) {
  return column<DaemonSet>(name, description, ({ status }) => status?.[field] ?? 0, 'integer')
}

function templateGenerationOf({ metadata }: Of<DaemonSet>): number {
  const text = metadata.annotations?.[templateGeneration] ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}

function setTemplateGeneration({ metadata }: Of<DaemonSet>, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGeneration]: String(generation) }
}

function strategyFaults({ updateStrategy = {} }: Spec): Fault[] {
  const path = 'spec.updateStrategy'
  const { type, rollingUpdate } = updateStrategy
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') {
    const shown = {
      Type: type ?? '',
      RollingUpdate: rollingUpdate ? inOrder(rollingUpdate, ['maxUnavailable', 'maxSurge']) : null,
    }
    return [notSupported(path, shown, ['RollingUpdate', 'OnDelete'])]
  }
  const at = `${path}.rollingUpdate`
  if (rollingUpdate === undefined) return [required(at)]
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  const faults = [
    ...countOrPercent(`${at}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${at}.maxSurge`, maxSurge),
    ...notMoreThanAll(`${at}.maxUnavailable`, maxUnavailable),
    ...notMoreThanAll(`${at}.maxSurge`, maxSurge),
  ]
  if (!isNothing(maxUnavailable) && !isNothing(maxSurge)) {
    const text = 'may not be set when maxUnavailable is non-zero'
    faults.push(invalidValue(`${at}.maxSurge`, maxSurge, text))
  } else if (isNothing(maxUnavailable) && isNothing(maxSurge)) {
    faults.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  }
  return faults
}
