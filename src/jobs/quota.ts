import { type KubeClient, kinds, parseQuantity, quantityToNumber } from '../kube/index.ts'
import { resourceName } from './amounts.ts'

/** One line of a quota. */
export interface QuotaView {
  readonly namespace: string
  readonly quota: string
  /** The key as Kubernetes has it, as in `requests.nvidia.com/gpu`. */
  readonly key: string
  /** As people call it, as in `GPUs`. */
  readonly resource: string
  readonly used: string
  readonly limit: string
  /** 0 to 1; more when the quota was lowered below what is used. */
  readonly share: number
}

/** Lists what a group may use and uses. */
export async function listQuotas(
  client: KubeClient,
  options: { readonly namespace?: string; readonly signal?: AbortSignal },
): Promise<readonly QuotaView[]> {
  const list = await client.list(kinds.resourceQuotas, {
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    ...(options.signal && { signal: options.signal }),
  })
  return list.items
    .flatMap(({ metadata, spec, status }) =>
      Object.entries(spec?.hard ?? {}).map(([key, limit]): QuotaView => {
        const used = status?.used?.[key] ?? '0'
        const most = quantityToNumber(parseQuantity(limit))
        const taken = quantityToNumber(parseQuantity(used))
        return {
          namespace: metadata.namespace ?? '',
          quota: metadata.name,
          key,
          resource: resourceName(key),
          used,
          limit,
          share: most === 0 ? (taken === 0 ? 0 : 1) : taken / most,
        }
      }),
    )
    .sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
}

// GPUs, CPUs and memory are what people look for.
const firstResources = ['GPUs', 'CPUs', 'memory']

function orderOf({ namespace, quota, resource }: QuotaView): string {
  const index = firstResources.indexOf(resource)
  return `${namespace}/${quota}/${index < 0 ? firstResources.length : index}/${resource}`
}
