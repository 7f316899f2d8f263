import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from 'kubernetes-types/autoscaling/v2.js'
import type { Fault } from '../../faults.ts'
import { notNegative } from '../../validation/checks.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { type ColumnOf, define, type Of } from '../define.ts'
import { setAutoscalerDefaults, setStatusDefaults } from './defaults.ts'
import { validateAutoscalerSpec } from './validate.ts'

/** An autoscaler as it is stored, and as version 2 has it. */
export type Autoscaler = Of<HorizontalPodAutoscaler>

export const autoscalers = define<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
  shortNames: ['hpa'],
  categories: ['all'],
  hasStatus: true,
  setDefaults: setAutoscalerDefaults,
  prepareForCreate: (object) => setStatusDefaults(object),
  validate: autoscalerFaults,
  validateStatus: autoscalerStatusFaults,
  columns: autoscalerColumns(),
})

export function autoscalerFaults({ spec }: Autoscaler): Fault[] {
  return validateAutoscalerSpec(spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } })
}

export function autoscalerStatusFaults({ status }: Autoscaler): Fault[] {
  return [
    ...notNegative('status.currentReplicas', status?.currentReplicas),
    ...notNegative('status.desiredReplicas', status?.desiredReplicas),
  ]
}

/** Columns of autoscalers, whichever version they are asked from. */
export function autoscalerColumns(): ColumnOf<HorizontalPodAutoscaler>[] {
  return [
    nameColumn,
    column(
      'Reference',
      'scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.',
      ({ spec }) => `${spec?.scaleTargetRef.kind ?? ''}/${spec?.scaleTargetRef.name ?? ''}`,
    ),
    column(
      'Targets',
      'metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).  The desired replica count is calculated multiplying the ratio between the target value and the current value by the current number of pods.  Ergo, metrics used must decrease as the pod count is increased, and vice-versa.  See the individual metric source types for more information about how each type of metric must respond. If not set, the default metric will be set to 80% average CPU utilization.',
      ({ spec, status }) => targetsText(spec?.metrics ?? [], status?.currentMetrics ?? []),
    ),
    column(
      'MinPods',
      'minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled and at least one Object or External metric is configured.  Scaling is active as long as at least one metric value is available.',
      ({ spec }) => String(spec?.minReplicas ?? '<unset>'),
    ),
    column(
      'MaxPods',
      'maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up. It cannot be less that minReplicas.',
      ({ spec }) => spec?.maxReplicas ?? 0,
    ),
    column(
      'Replicas',
      'currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler.',
      ({ status }) => status?.currentReplicas ?? 0,
    ),
    ageColumn,
  ]
}

const shownMetrics = 2

function targetsText(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return '<none>'
  const texts = specs.map((spec, index) => targetText(spec, statuses[index]))
  const text = texts.slice(0, shownMetrics).join(', ')
  return texts.length > shownMetrics ? `${text} + ${texts.length - shownMetrics} more...` : text
}

function targetText(spec: MetricSpec, status: MetricStatus | undefined): string {
  if (spec.resource) return shareText(spec.resource.name, spec.resource.target, status?.resource?.current)
  if (spec.containerResource) {
    const { name, target } = spec.containerResource
    return shareText(name, target, status?.containerResource?.current)
  }
  const source = spec.external ?? spec.object
  if (source) {
    const current = status?.external?.current ?? status?.object?.current
    return source.target.averageValue === undefined
      ? `${current?.value ?? '<unknown>'}/${source.target.value ?? ''}`
      : `${current?.averageValue ?? '<unknown>'}/${source.target.averageValue} (avg)`
  }
  if (spec.pods) {
    return `${status?.pods?.current?.averageValue ?? '<unknown>'}/${spec.pods.target.averageValue ?? ''}`
  }
  return '<unknown type>'
}

function shareText(name: string, target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  }
  const used = current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`
  const wanted = target.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`
  return `${name}: ${used}/${wanted}`
}
