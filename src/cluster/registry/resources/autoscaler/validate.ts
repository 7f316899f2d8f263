import type {
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from 'kubernetes-types/autoscaling/v2.js'
import { parseQuantity } from '../../../../kube/index.ts'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { validateReference } from './reference.ts'
import { validateMetric } from './validate-metric.ts'

const onlyWithOthers =
  'must specify at least one Object or External metric to support scaling to zero replicas'
const longestWindowSeconds = 3600
const longestPeriodSeconds = 1800

/** Faults of the wish of an autoscaler, with its defaults filled in. */
export function validateAutoscalerSpec(spec: HorizontalPodAutoscalerSpec): Fault[] {
  const { minReplicas = 1, maxReplicas } = spec
  const faults: Fault[] = []
  if (minReplicas < 1) {
    faults.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  }
  if (!(maxReplicas >= 1)) {
    faults.push(invalidValue('spec.maxReplicas', maxReplicas ?? 0, 'must be greater than 0'))
  }
  if (!(maxReplicas >= minReplicas)) {
    const text = 'must be greater than or equal to `minReplicas`'
    faults.push(invalidValue('spec.maxReplicas', maxReplicas ?? 0, text))
  }
  return [
    ...faults,
    ...validateReference('spec.scaleTargetRef', spec.scaleTargetRef),
    ...(spec.metrics ?? []).flatMap((metric, index) => validateMetric(`spec.metrics[${index}]`, metric)),
    ...(minReplicas === 0 && !spec.metrics?.some(({ type }) => type === 'Object' || type === 'External')
      ? [forbiddenField('spec.metrics', onlyWithOthers)]
      : []),
    ...validateRules('spec.behavior.scaleUp', spec.behavior?.scaleUp),
    ...validateRules('spec.behavior.scaleDown', spec.behavior?.scaleDown),
  ]
}

function validateRules(
  path: string,
  rules: (HPAScalingRules & { readonly tolerance?: string }) | undefined,
): Fault[] {
  if (rules === undefined) return []
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules
  const at = `${path}.stabilizationWindowSeconds`
  const faults: Fault[] = []
  if (window !== undefined && window < 0) {
    faults.push(invalidValue(at, window, 'must be greater than or equal to zero'))
  }
  if (window !== undefined && window > longestWindowSeconds) {
    faults.push(invalidValue(at, window, `must be less than or equal to ${longestWindowSeconds}`))
  }
  if (selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(selectPolicy)) {
    faults.push(notSupported(`${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']))
  }
  if (policies.length === 0) {
    faults.push(required(`${path}.policies`, 'must specify at least one Policy'))
  }
  faults.push(...policies.flatMap((one, index) => validatePolicy(`${path}.policies[${index}]`, one)))
  if (tolerance !== undefined && parseQuantity(tolerance).nanos < 0n) {
    faults.push(invalidValue(`${path}.tolerance`, tolerance, 'must be greater or equal to zero'))
  }
  return faults
}

function validatePolicy(path: string, policy: HPAScalingPolicy): Fault[] {
  const { type, value = 0, periodSeconds = 0 } = policy
  const faults: Fault[] = []
  if (type !== 'Pods' && type !== 'Percent') {
    faults.push(notSupported(`${path}.type`, type ?? '', ['Percent', 'Pods']))
  }
  if (value <= 0) faults.push(invalidValue(`${path}.value`, value, 'must be greater than zero'))
  if (periodSeconds <= 0) {
    faults.push(invalidValue(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'))
  }
  if (periodSeconds > longestPeriodSeconds) {
    const text = `must be less than or equal to ${longestPeriodSeconds}`
    faults.push(invalidValue(`${path}.periodSeconds`, periodSeconds, text))
  }
  return faults
}
