import type { MetricSpec, MetricStatus } from 'kubernetes-types/autoscaling/v2.js'
import { isRecord, type Fields } from './fields.ts'

/** Where version 1 has a field and where version 2 has it; those with `0` are written by Go whether set or not. */
type Pair = readonly [old: string, now: string, unset?: '0']

const share: readonly Pair[] = [
  ['name', 'name'],
  ['targetAverageUtilization', 'target.averageUtilization'],
  ['targetAverageValue', 'target.averageValue'],
]
const identified: readonly Pair[] = [
  ['metricName', 'metric.name'],
  ['selector', 'metric.selector'],
]
const external: readonly Pair[] = [
  ['metricName', 'metric.name'],
  ['metricSelector', 'metric.selector'],
]

const sources: Readonly<Record<string, readonly Pair[]>> = {
  object: [
    ['target', 'describedObject'],
    ...identified,
    ['targetValue', 'target.value', '0'],
    ['averageValue', 'target.averageValue'],
  ],
  pods: [...identified, ['targetAverageValue', 'target.averageValue', '0']],
  resource: share,
  containerResource: [...share, ['container', 'container']],
  external: [...external, ['targetValue', 'target.value'], ['targetAverageValue', 'target.averageValue']],
}

const used: readonly Pair[] = [
  ['name', 'name'],
  ['currentAverageUtilization', 'current.averageUtilization'],
  ['currentAverageValue', 'current.averageValue', '0'],
]

const statuses: Readonly<Record<string, readonly Pair[]>> = {
  object: [
    ['target', 'describedObject'],
    ...identified,
    ['currentValue', 'current.value', '0'],
    ['averageValue', 'current.averageValue'],
  ],
  pods: [...identified, ['currentAverageValue', 'current.averageValue', '0']],
  resource: used,
  containerResource: [...used, ['container', 'container']],
  external: [
    ...external,
    ['currentValue', 'current.value', '0'],
    ['currentAverageValue', 'current.averageValue'],
  ],
}

/** A metric in the form in which version 1 writes it into an annotation. */
export const metricToVersion1 = (metric: MetricSpec): Fields => toVersion1(metric, sources)

/** What a metric was, in the form in which version 1 writes it into an annotation. */
export const statusToVersion1 = (status: MetricStatus): Fields => toVersion1(status, statuses)

/** The way back of {@link metricToVersion1}, for whatever stands in an annotation: its types are yet to be checked. */
export function metricFromVersion1(metric: unknown): Fields {
  const made = fromVersion1(metric, sources)
  for (const name of Object.keys(sources)) {
    const source = made[name]
    const target = isRecord(source) ? source['target'] : undefined
    if (!isRecord(target)) continue
    if (target['averageUtilization'] !== undefined) target['type'] = 'Utilization'
    else target['type'] = target['averageValue'] === undefined ? 'Value' : 'AverageValue'
  }
  return made
}

/** The way back of {@link statusToVersion1}. */
export const statusFromVersion1 = (status: unknown): Fields => fromVersion1(status, statuses)

function toVersion1(
  { type, ...metric }: MetricSpec | MetricStatus,
  table: Readonly<Record<string, readonly Pair[]>>,
): Fields {
  const made: Fields = { type }
  for (const [name, pairs] of Object.entries(table)) {
    const source: unknown = Reflect.get(metric, name)
    if (!isRecord(source)) continue
    const fields: Fields = {}
    for (const [old, now, unset] of pairs) {
      const [first = '', second] = now.split('.')
      const outer = source[first]
      const value = second === undefined ? outer : isRecord(outer) ? outer[second] : undefined
      if (value !== undefined || unset !== undefined) fields[old] = value ?? unset
    }
    made[name] = fields
  }
  return made
}

function fromVersion1(metric: unknown, table: Readonly<Record<string, readonly Pair[]>>): Fields {
  if (!isRecord(metric)) return {}
  const made: Fields = { type: metric['type'] }
  for (const [name, pairs] of Object.entries(table)) {
    const source = metric[name]
    if (!isRecord(source)) continue
    const fields: Fields = {}
    for (const [old, now, unset] of pairs) {
      const value = source[old]
      if (value === undefined || value === null || value === unset) continue
      const [first = '', second] = now.split('.')
      if (second === undefined) fields[first] = value
      else {
        const outer = fields[first]
        fields[first] = { ...(isRecord(outer) && outer), [second]: value }
      }
    }
    made[name] = fields
  }
  return made
}
