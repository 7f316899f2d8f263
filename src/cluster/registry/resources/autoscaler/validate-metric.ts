import type {
  ContainerResourceMetricSource,
  ExternalMetricSource,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from 'kubernetes-types/autoscaling/v2.js'
import { parseQuantity } from '../../../../kube/index.ts'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { dnsLabel, pathSegment } from '../../validation/names.ts'
import { limitResourceName } from '../../validation/quantities.ts'
import { validateReference } from './reference.ts'

const types = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

const notBoth = 'may not set both a target raw value and a target utilization'
const oneOfThem = 'must set either a target raw value or a target utilization'

/** Faults of one metric of an autoscaler. Only the first source that is there is looked at, as there must be no other. */
export function validateMetric(path: string, metric: MetricSpec): Fault[] {
  const { type = '' } = metric
  const faults: Fault[] = []
  if (type === '') faults.push(required(`${path}.type`, 'must specify a metric source type'))
  if (!types.includes(type)) faults.push(notSupported(`${path}.type`, type, types))
  const { object, external, pods, resource, containerResource } = metric
  const present: [name: string, faultsOf: (at: string) => Fault[]][] = []
  if (object) present.push(['object', (at) => objectFaults(at, object)])
  if (external) present.push(['external', (at) => externalFaults(at, external)])
  if (pods) present.push(['pods', (at) => podsFaults(at, pods)])
  if (resource) present.push(['resource', (at) => resourceFaults(at, resource)])
  if (containerResource) {
    present.push(['containerResource', (at) => containerResourceFaults(at, containerResource)])
  }
  const [first] = present
  if (first) faults.push(...first[1](`${path}.${first[0]}`))
  const expected = types.includes(type) ? type.charAt(0).toLowerCase() + type.slice(1) : undefined
  if (expected === undefined) faults.push(notSupported(`${path}.type`, type, types))
  else if (!present.some(([name]) => name === expected)) {
    faults.push(required(`${path}.${expected}`, 'must populate information for the given metric source'))
  }
  if (present.length === 1) return faults
  for (const [name] of present) {
    if (name !== expected) {
      faults.push(forbiddenField(`${path}.${name}`, 'must populate the given metric source only'))
    }
  }
  return faults
}

function objectFaults(path: string, { describedObject, metric, target }: ObjectMetricSource): Fault[] {
  const faults = [
    ...validateReference(`${path}.describedObject`, describedObject),
    ...identifierFaults(`${path}.metric`, metric),
    ...targetFaults(`${path}.target`, target),
  ]
  if (target?.value === undefined && target?.averageValue === undefined) {
    const text = 'must set either a target value or averageValue'
    faults.push(required(`${path}.target.averageValue`, text))
  }
  return faults
}

function externalFaults(path: string, { metric, target }: ExternalMetricSource): Fault[] {
  const faults = [...identifierFaults(`${path}.metric`, metric), ...targetFaults(`${path}.target`, target)]
  if (target?.value === undefined && target?.averageValue === undefined) {
    const text = 'must set either a target value for metric or a per-pod target'
    faults.push(required(`${path}.target.averageValue`, text))
  }
  if (target?.value !== undefined && target.averageValue !== undefined) {
    const text = 'may not set both a target value for metric and a per-pod target'
    faults.push(forbiddenField(`${path}.target.value`, text))
  }
  return faults
}

function podsFaults(path: string, { metric, target }: PodsMetricSource): Fault[] {
  const faults = [...identifierFaults(`${path}.metric`, metric), ...targetFaults(`${path}.target`, target)]
  if (target?.averageValue === undefined) {
    faults.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'))
  }
  return faults
}

function resourceFaults(path: string, { name, target }: ResourceMetricSource): Fault[] {
  const faults = name ? [] : [required(`${path}.name`, 'must specify a resource name')]
  return [...faults, ...shareFaults(`${path}.target`, target)]
}

function containerResourceFaults(
  path: string,
  { name, container, target }: ContainerResourceMetricSource,
): Fault[] {
  return [
    ...(name
      ? limitResourceName('Container', name, `${path}.name`)
      : [required(`${path}.name`, 'must specify a resource name')]),
    ...(container
      ? checked(`${path}.container`, container, dnsLabel)
      : [required(`${path}.container`, 'must specify a container')]),
    ...shareFaults(`${path}.target`, target),
  ]
}

/** A target of what is requested or an amount, and not both. */
function shareFaults(path: string, target: MetricTarget | undefined): Fault[] {
  const faults = targetFaults(path, target)
  const { averageUtilization, averageValue } = target ?? {}
  if (averageUtilization === undefined && averageValue === undefined) {
    faults.push(required(`${path}.averageUtilization`, oneOfThem))
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    faults.push(forbiddenField(`${path}.averageValue`, notBoth))
  }
  return faults
}

function targetFaults(path: string, target: MetricTarget | undefined): Fault[] {
  const { type = '', averageUtilization } = target ?? {}
  const faults: Fault[] = []
  if (type === '') faults.push(required(`${path}.type`, 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    const text = 'must be either Utilization, Value, or AverageValue'
    faults.push(invalidValue(`${path}.type`, type, text))
  }
  for (const field of ['value', 'averageValue'] as const) {
    const value = target?.[field]
    if (value !== undefined && parseQuantity(value).nanos <= 0n) {
      faults.push(invalidValue(`${path}.${field}`, value, 'must be positive'))
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    faults.push(invalidValue(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  }
  return faults
}

function identifierFaults(path: string, metric: MetricIdentifier | undefined): Fault[] {
  const name = metric?.name ?? ''
  return name === ''
    ? [required(`${path}.name`, 'must specify a metric name')]
    : checked(`${path}.name`, name, pathSegment)
}
