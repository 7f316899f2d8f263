import {
  isStatus,
  type KubeObject,
  type LabelSelectorObject,
  labelSelectorOf,
  matchesLabels,
  StatusError,
  timestamp,
} from '../kube/index.ts'
import { plainFailure, type Reader, type Writer } from './registry/index.ts'

interface Budget {
  readonly metadata: KubeObject['metadata']
  readonly spec?: { readonly selector?: LabelSelectorObject; readonly unhealthyPodEvictionPolicy?: string }
  readonly status?: {
    readonly observedGeneration?: number
    readonly disruptionsAllowed?: number
    readonly desiredHealthy?: number
    readonly currentHealthy?: number
    readonly disruptedPods?: Readonly<Record<string, string>>
  }
}

const budgets = 'policy/poddisruptionbudgets'

/**
 * Why a pod may not be evicted now; undefined when it may, in which case its budget has been charged
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/).
 */
export async function evictionRefusal(
  pod: KubeObject,
  options: {
    readonly reader: Reader
    readonly writer: Writer
    readonly now: () => number
    readonly dryRun: boolean
  },
): Promise<StatusError | undefined> {
  const { reader, writer, now, dryRun } = options
  const { namespace = '', name = '', labels } = pod.metadata
  const status = (pod['status'] ?? {}) as { phase?: string; conditions?: { type: string; status: string }[] }
  // What has ended, or has not begun, serves nobody.
  if (status.phase === 'Succeeded' || status.phase === 'Failed' || status.phase === 'Pending')
    return undefined
  if (pod.metadata.deletionTimestamp) return undefined
  const covering = ([...reader.list(budgets, namespace)] as unknown as Budget[]).filter(
    ({ spec }) => spec?.selector && matchesLabels(labelSelectorOf(spec.selector), labels),
  )
  const [budget] = covering
  if (!budget) return undefined
  if (covering.length > 1)
    return plainFailure(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  const isReady =
    status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
  if (!isReady && mayEvictUnready(budget)) return undefined
  const budgetName = budget.metadata.name ?? ''
  let refusal: StatusError | undefined
  try {
    await writer.update(budgets, namespace, budgetName, (current) => {
      const fresh = current as unknown as Budget
      refusal = refusalOf(fresh)
      if (refusal || dryRun) return undefined
      const at = timestamp(now())
      return {
        ...current,
        status: {
          ...fresh.status,
          disruptionsAllowed: (fresh.status?.disruptionsAllowed ?? 0) - 1,
          disruptedPods: { ...fresh.status?.disruptedPods, [name]: at },
        },
      }
    })
  } catch (error) {
    // The budget is gone: nobody asks for anything any more.
    if (!isStatus(error, 'NotFound')) throw error
  }
  return refusal
}

function mayEvictUnready({ spec, status }: Budget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) && (status?.desiredHealthy ?? 0) > 0
}

function refusalOf({ metadata, status }: Budget): StatusError | undefined {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return tooMany(`The disruption budget ${metadata.name ?? ''} is still being processed by the server.`, 10)
  if ((status?.disruptionsAllowed ?? 0) > 0) return undefined
  return tooMany(
    `The disruption budget ${metadata.name ?? ''} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
  )
}

function tooMany(why: string, retryAfterSeconds?: number): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    reason: 'TooManyRequests',
    details: {
      causes: [{ reason: 'DisruptionBudget', message: why }],
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    },
    code: 429,
  })
}
