import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v1.js'
import type { MetricSpec, MetricStatus } from 'kubernetes-types/autoscaling/v2.js'
import type { KubeObject } from '../../../../kube/index.ts'
import { define, type Of, storageVersionHash } from '../define.ts'
import { inGoNames } from '../internal-form.ts'
import {
  type Autoscaler,
  autoscalerColumns,
  autoscalerFaults,
  autoscalers,
  autoscalerStatusFaults,
} from './autoscaler.ts'
import { setStatusDefaults, usualTarget } from './defaults.ts'
import { readBehavior, readConditions, readMetrics, readStatuses } from './kept-fields.ts'
import { metricToVersion1, statusToVersion1 } from './metrics-of-version-1.ts'

/** Annotations in which version 1 keeps what it has no fields for. */
const kept = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const

/** Autoscalers as `autoscaling/v1` has them: the same objects, that know of CPU alone. */
export const autoscalersOfVersion1 = define<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
  shortNames: ['hpa'],
  categories: ['all'],
  hasStatus: true,
  storageVersionHash:
    autoscalers.storageVersionHash ?? storageVersionHash('autoscaling', 'v2', autoscalers.kind),
  convert: { fromStored, toStored },
  setDefaults(object) {
    object.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } }
    object.spec.minReplicas ??= 1
    object.status = { currentReplicas: 0, desiredReplicas: 0, ...object.status }
  },
  prepareForCreate(object) {
    object.status = { currentReplicas: 0, desiredReplicas: 0 }
  },
  validate: (object) => autoscalerFaults(storedForm(object)),
  validateStatus: (object) => autoscalerStatusFaults(storedForm(object)),
  columns: autoscalerColumns().map((column) => ({
    ...column,
    cell: (object: Of<HorizontalPodAutoscaler>, now: number) => column.cell(storedForm(object), now),
  })),
})

function storedForm(object: Of<HorizontalPodAutoscaler>): Autoscaler {
  const stored: unknown = toStored(object as unknown as KubeObject)
  return stored as Autoscaler
}

function fromStored(object: KubeObject): KubeObject {
  const { spec, status, metadata } = object as unknown as Autoscaler
  const { metrics = [], behavior, scaleTargetRef, minReplicas, maxReplicas } = spec ?? {}
  const annotations = withoutKept(metadata.annotations)
  const others = metrics.filter((metric) => !isCpuShare(metric))
  if (others.length > 0) annotations[kept.metrics] = JSON.stringify(others.map(metricToVersion1))
  const statuses = status?.currentMetrics ?? []
  if (statuses.length > 0) annotations[kept.currentMetrics] = JSON.stringify(statuses.map(statusToVersion1))
  if (status?.conditions?.length) annotations[kept.conditions] = JSON.stringify(status.conditions)
  // Kubernetes writes its own structures down here.
  if (behavior) annotations[kept.behavior] = JSON.stringify(inGoNames(behavior))
  const share = metrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.target?.averageUtilization
  const used = statuses.findLast(isCpuStatus)?.resource?.current?.averageUtilization
  return {
    ...object,
    metadata: withAnnotations(metadata, annotations),
    spec: {
      scaleTargetRef,
      ...(minReplicas !== undefined && { minReplicas }),
      maxReplicas,
      ...(share !== undefined && { targetCPUUtilizationPercentage: share }),
    },
    status: {
      ...(status?.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
      ...(status?.lastScaleTime && { lastScaleTime: status.lastScaleTime }),
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...(used !== undefined && { currentCPUUtilizationPercentage: used }),
    },
  }
}

function toStored(object: KubeObject): KubeObject {
  const { spec, status, metadata } = object as unknown as Of<HorizontalPodAutoscaler>
  const { annotations = {} } = metadata
  const share = spec?.targetCPUUtilizationPercentage
  const metrics: MetricSpec[] = [
    ...(share === undefined ? [] : [cpuMetric({ type: 'Utilization', averageUtilization: share })]),
    ...readMetrics(annotations[kept.metrics]),
  ]
  const used = status?.currentCPUUtilizationPercentage
  const statuses =
    readStatuses(annotations[kept.currentMetrics]) ?? (used === undefined ? [] : [cpuStatus(used)])
  const conditions = readConditions(annotations[kept.conditions])
  const behavior = readBehavior(annotations[kept.behavior])
  const stored = {
    ...object,
    metadata: withAnnotations(metadata, withoutKept(annotations)),
    spec: {
      scaleTargetRef: spec?.scaleTargetRef ?? { kind: '', name: '' },
      ...(spec?.minReplicas !== undefined && { minReplicas: spec.minReplicas }),
      maxReplicas: spec?.maxReplicas ?? 0,
      metrics: metrics.length > 0 ? metrics : [cpuMetric(usualTarget)],
      ...(behavior && { behavior }),
    },
    status: {
      ...(status?.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
      ...(status?.lastScaleTime && { lastScaleTime: status.lastScaleTime }),
      ...(status?.currentReplicas && { currentReplicas: status.currentReplicas }),
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...(statuses.length > 0 && { currentMetrics: statuses }),
      ...(conditions && { conditions }),
    },
  }
  setStatusDefaults(stored)
  return stored
}

function isCpuShare({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined
}

function isCpuStatus({ type, resource }: MetricStatus): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.current?.averageUtilization !== undefined
}

function cpuMetric(target: { readonly type: string; readonly averageUtilization: number }): MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { ...target } } }
}

function cpuStatus(averageUtilization: number): MetricStatus {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } }
}

function withoutKept(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const names = new Set<string>(Object.values(kept))
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !names.has(name)))
}

function withAnnotations(
  metadata: KubeObject['metadata'],
  annotations: Record<string, string>,
): KubeObject['metadata'] {
  const { annotations: _before, ...rest } = metadata
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations }
}
