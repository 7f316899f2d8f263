import type {
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from 'kubernetes-types/autoscaling/v2.js'
import { formatQuantity, parseQuantity, quantityToMilli } from '../../../kube/index.ts'
import { MetricMissing } from './metric-missing.ts'
import type { PodUse } from './pod-uses.ts'
import { recommend, type Situation } from './recommendation.ts'

/** What one metric asks for. */
export interface Proposal {
  readonly replicas: number
  /** As in `cpu resource utilization (percentage of request)`. */
  readonly metric: string
  readonly status: MetricStatus
}

/** A metric that could not be told. */
export interface Failure {
  /** Of the event and of the condition `ScalingActive`, as in `FailedGetResourceMetric`. */
  readonly reason: string
  readonly message: string
  /** The message with the metric that it is about. */
  readonly summary: string
}

export interface MetricSource extends Omit<Situation, 'uses' | 'resource' | 'target' | 'container'> {
  readonly namespace: string
  /** @throws {MetricMissing} */
  readUses(resource: string, container: string | undefined): Promise<ReadonlyMap<string, PodUse>>
}

/** How many replicas a metric asks for. Only use of CPU and memory can be known here: nobody serves other metrics. */
export async function propose(spec: MetricSpec, source: MetricSource): Promise<Proposal | Failure> {
  const { resource, containerResource } = spec
  if (spec.type === 'Resource' && resource) {
    const { name, target } = resource
    return failing('FailedGetResourceMetric', `failed to get ${name} resource metric value`, async () => {
      const { current, ...proposal } = await ofResource({ name, target }, source)
      return { ...proposal, status: { type: spec.type, resource: { name, current } } }
    })
  }
  if (spec.type === 'ContainerResource' && containerResource) {
    const { name, target, container } = containerResource
    const reason = 'FailedGetContainerResourceMetric'
    return failing(reason, `failed to get ${name} container metric value`, async () => {
      const { current, ...proposal } = await ofResource({ name, target, container }, source)
      return { ...proposal, status: { type: spec.type, containerResource: { name, container, current } } }
    })
  }
  return unserved(spec, source.namespace)
}

/** @throws {MetricMissing} */
async function ofResource(
  { name, target, container }: { name: string; target: MetricTarget; container?: string },
  source: MetricSource,
): Promise<{ replicas: number; metric: string; current: MetricValueStatus }> {
  const isAmount = target.averageValue !== undefined
  if (!isAmount && target.averageUtilization === undefined) {
    throw new MetricMissing(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    )
  }
  try {
    const uses = await source.readUses(name, container).catch((error: unknown) => {
      throw error instanceof MetricMissing
        ? new MetricMissing(`unable to get metrics for resource ${name}: ${error.message}`)
        : error
    })
    const { replicas, utilization, averageMilli } = recommend({
      ...source,
      uses,
      resource: name,
      ...(container !== undefined && { container }),
      target: isAmount
        ? { milli: quantityToMilli(parseQuantity(target.averageValue ?? '')) }
        : { percent: target.averageUtilization ?? 0 },
    })
    const averageValue = formatQuantity({ nanos: BigInt(averageMilli) * 1_000_000n, format: 'DecimalSI' })
    return {
      replicas,
      metric: isAmount ? `${name} resource` : `${name} resource utilization (percentage of request)`,
      current: { ...(utilization !== undefined && { averageUtilization: utilization }), averageValue },
    }
  } catch (error) {
    if (!(error instanceof MetricMissing)) throw error
    throw new MetricMissing(`failed to get ${name} ${isAmount ? 'usage' : 'utilization'}: ${error.message}`)
  }
}

async function failing(
  reason: string,
  what: string,
  work: () => Promise<Proposal>,
): Promise<Proposal | Failure> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MetricMissing)) throw error
    return { reason, message: error.message, summary: `${what}: ${error.message}` }
  }
}

const noCustomMetrics =
  'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered'

function unserved(spec: MetricSpec, namespace: string): Failure {
  if (spec.type === 'Pods' && spec.pods) {
    const message = `unable to get metric ${spec.pods.metric.name}: ${noCustomMetrics}`
    return {
      reason: 'FailedGetPodsMetric',
      message,
      summary: `failed to get pods metric value: ${message}`,
    }
  }
  if (spec.type === 'Object' && spec.object) {
    const message = objectMessage(spec.object.metric, spec.object.describedObject, namespace)
    return {
      reason: 'FailedGetObjectMetric',
      message,
      summary: `failed to get object metric value: ${message}`,
    }
  }
  if (spec.type === 'External' && spec.external) {
    const { name, selector } = spec.external.metric
    const where = `${namespace}/${name}/${selector === undefined ? 'nil' : JSON.stringify(selector)}`
    const message = `unable to get external metric ${where}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`
    return {
      reason: 'FailedGetExternalMetric',
      message,
      summary: `failed to get ${name} external metric value: ${message}`,
    }
  }
  const message = `unknown metric source type ${JSON.stringify(spec.type)}`
  return { reason: 'InvalidMetricSourceType', message, summary: message }
}

/** Kubernetes puts the words of this one in an order of its own. */
function objectMessage(
  { name }: MetricIdentifier,
  object: CrossVersionObjectReference,
  namespace: string,
): string {
  return `unable to get metric ${name}: ${object.kind} on ${namespace} ${object.name}/${noCustomMetrics}`
}
