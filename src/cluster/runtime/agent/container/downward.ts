import { parseQuantity, type Pod, type Persisted, type Container } from '../../../../kube/index.ts'

/** What a node knows of itself and a pod, for the fields that pods may ask for. */
export interface PodFacts {
  readonly pod: Persisted<Pod>
  readonly podAddress: string
  readonly hostAddress: string
  /** Stands in for limits that a container does not have. */
  readonly allocatable: Readonly<Record<string, string>>
}

/**
 * The value of a `fieldRef`; nothing when the field is not one that pods may ask for.
 * (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/)
 */
export function fieldValue(facts: PodFacts, path: string): string | undefined {
  const { metadata, spec } = facts.pod
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  if (keyed !== null) {
    const [, field, key = ''] = keyed
    return (field === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? ''
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name
    case 'metadata.namespace':
      return metadata.namespace ?? ''
    case 'metadata.uid':
      return metadata.uid
    case 'metadata.labels':
      return pairs(metadata.labels)
    case 'metadata.annotations':
      return pairs(metadata.annotations)
    case 'spec.nodeName':
      return spec?.nodeName ?? ''
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? 'default'
    case 'status.hostIP':
    case 'status.hostIPs':
      return facts.hostAddress
    case 'status.podIP':
    case 'status.podIPs':
      return facts.podAddress
    default:
      return undefined
  }
}

function pairs(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')
}

/** The value of a `resourceFieldRef` in units of its divisor, rounded up as Kubernetes does. */
export function resourceValue(
  facts: PodFacts,
  container: Container,
  reference: { readonly resource: string; readonly divisor?: string },
): string {
  const [side = '', ...rest] = reference.resource.split('.')
  const name = rest.join('.')
  const amounts = side === 'limits' ? container.resources?.limits : container.resources?.requests
  const own = amounts?.[name] ?? (side === 'limits' ? facts.allocatable[name] : undefined) ?? '0'
  const divisor = parseQuantity(reference.divisor ?? '1').nanos
  const unit = divisor === 0n ? parseQuantity('1').nanos : divisor
  const amount = parseQuantity(own).nanos
  return String((amount + unit - 1n) / unit)
}
