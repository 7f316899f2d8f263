import type { HorizontalPodAutoscaler, HPAScalingRules } from 'kubernetes-types/autoscaling/v2.js'
import type { Of } from '../define.ts'

/** What is aimed at when nobody says: 80 % of the CPU that was asked for. */
export const usualTarget = { type: 'Utilization', averageUtilization: 80 } as const

const usualUp = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}

/** How long to wait before scaling down is the controller's to say. */
const usualDown = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }

/** Fills in what an autoscaler leaves out. */
export function setAutoscalerDefaults(object: Of<HorizontalPodAutoscaler>): void {
  object.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } }
  const { spec } = object
  spec.minReplicas ??= 1
  if (!spec.metrics?.length)
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { ...usualTarget } } }]
  if (spec.behavior) {
    spec.behavior.scaleUp = filled(spec.behavior.scaleUp, usualUp)
    spec.behavior.scaleDown = filled(spec.behavior.scaleDown, usualDown)
  }
  setStatusDefaults(object)
}

/** The fields that Go always writes. */
export function setStatusDefaults(object: Of<HorizontalPodAutoscaler>): void {
  const status: Record<string, unknown> = { ...object.status }
  status['currentMetrics'] ??= null
  status['desiredReplicas'] ??= 0
  Object.assign(object, { status })
}

function filled(given: HPAScalingRules | undefined, usual: HPAScalingRules): HPAScalingRules {
  return { ...structuredClone(usual), ...given }
}
