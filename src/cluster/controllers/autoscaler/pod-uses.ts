import {
  formatLabelSelector,
  type KubeClient,
  type LabelSelector,
  parseDurationMs,
  quantityToMilli,
  parseQuantity,
  type ResourceType,
} from '../../../kube/index.ts'
import { MetricMissing } from './metric-missing.ts'

/** What a pod uses of one resource, or one of its containers does. */
export interface PodUse {
  /** Thousandths of a core, or of a byte. */
  readonly milli: number
  /** End of the window that was measured, in milliseconds since the epoch. */
  readonly at: number
  readonly windowMs: number
}

/** `metrics.k8s.io/v1beta1 PodMetrics`. */
interface PodMetrics {
  readonly timestamp: string
  readonly window: string
  readonly containers: readonly {
    readonly name: string
    readonly usage: Readonly<Record<string, string>>
  }[]
}

const podMetrics: ResourceType<PodMetrics> = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  plural: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
}

export interface UseQuestion {
  readonly namespace: string
  readonly selector: LabelSelector
  /** As in `cpu`. */
  readonly resource: string
  /** Of this container alone. */
  readonly container?: string
}

/**
 * Asks what pods use, by name.
 *
 * @throws {MetricMissing} when nothing is known of any.
 */
export async function readPodUses(
  client: KubeClient,
  { namespace, selector, resource, container }: UseQuestion,
  signal: AbortSignal,
): Promise<Map<string, PodUse>> {
  const labelSelector = formatLabelSelector(selector)
  const { items } = await client
    .list(podMetrics, { namespace, labelSelector, signal })
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      throw new MetricMissing(`unable to fetch metrics from resource metrics API: ${why}`)
    })
  if (items.length === 0) throw new MetricMissing('no metrics returned from resource metrics API')
  const uses = new Map<string, PodUse>()
  for (const { metadata, timestamp, window, containers } of items) {
    const meant = containers.filter(({ name }) => container === undefined || name === container)
    if (container !== undefined && meant.length === 0) {
      throw new MetricMissing(
        `failed to get container metrics: container ${container} not present in metrics for pod ${namespace}/${metadata.name}`,
      )
    }
    const amounts = meant.map(({ usage }) => usage[resource])
    // Without the use of one container that of the pod is not known.
    if (amounts.includes(undefined)) continue
    uses.set(metadata.name, {
      milli: amounts.reduce((sum, text) => sum + quantityToMilli(parseQuantity(text ?? '0')), 0),
      at: Date.parse(timestamp),
      windowMs: parseDurationMs(window) ?? 0,
    })
  }
  return uses
}
