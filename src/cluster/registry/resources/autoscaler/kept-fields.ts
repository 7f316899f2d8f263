import type {
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
} from 'kubernetes-types/autoscaling/v2.js'
import type { JsonObject } from '../../../../kube/index.ts'
import { schemaFor } from '../../schema/builtin.ts'
import { decodeValue, DecodingError } from '../../schema/decode-value.ts'
import { shapeOf } from '../../schema/shape.ts'
import type { Autoscaler } from './autoscaler.ts'
import { isRecord } from './fields.ts'
import { metricFromVersion1, statusFromVersion1 } from './metrics-of-version-1.ts'

/**
 * What version 1 keeps in annotations. Anybody who may write the object may write anything there: what has not the form that it
 * should have is taken for nothing, as Kubernetes does.
 */
export function readMetrics(text: string | undefined): MetricSpec[] {
  return checked({ spec: { metrics: listOf(text)?.map(metricFromVersion1) } })?.spec?.metrics ?? []
}

export function readStatuses(text: string | undefined): MetricStatus[] | undefined {
  const statuses = listOf(text)?.map(statusFromVersion1)
  return statuses && (checked({ status: { currentMetrics: statuses } })?.status?.currentMetrics ?? [])
}

export function readConditions(text: string | undefined): HorizontalPodAutoscalerCondition[] | undefined {
  const conditions = listOf(text)
  return conditions && checked({ status: { conditions } })?.status?.conditions
}

export function readBehavior(text: string | undefined): HorizontalPodAutoscalerBehavior | undefined {
  const value = parsed(text)
  return isRecord(value) ? checked({ spec: { behavior: inJsonNames(value) } })?.spec?.behavior : undefined
}

/** The object if it decodes as an autoscaler would. */
function checked(object: object): Autoscaler | undefined {
  // Without what JSON does not have.
  const copy = JSON.parse(JSON.stringify(object)) as JsonObject
  const kind = 'HorizontalPodAutoscaler'
  try {
    const { value } = decodeValue(copy, shapeOf(schemaFor('autoscaling', 'v2', kind), kind))
    return value as unknown as Autoscaler
  } catch (error) {
    if (error instanceof DecodingError) return undefined
    throw error
  }
}

function listOf(text: string | undefined): unknown[] | undefined {
  const value = parsed(text)
  return Array.isArray(value) ? value : undefined
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // No form at all.
    return undefined
  }
}

/** `{"ScaleUp": {"Policies": []}}` under the names of the API. */
function inJsonNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inJsonNames)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      inJsonNames(field),
    ]),
  )
}
