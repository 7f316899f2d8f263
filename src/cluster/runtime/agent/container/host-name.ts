import type { Persisted, Pod, PodSpec } from '../../../../kube/index.ts'
import { ContainerRefused } from '../../runtime.ts'

/** What the names of services and of the pods behind them end in. */
export const clusterDomain = 'svc.cluster.local'

const longestLabel = 63
// What Linux takes as the name of a host.
const longestName = 64

type Spec = PodSpec & { readonly hostnameOverride?: string }

/** A pod's own short name. Labels have at most 63 characters; longer names are cut, and what dangles at the cut. */
export function hostnameOf({ metadata, spec }: Persisted<Pod>): string {
  const { hostname, hostnameOverride }: Partial<Spec> = spec ?? {}
  if (hostnameOverride) return hostnameOverride
  const name = hostname || metadata.name
  return name.slice(0, longestLabel).replace(/[-.]+$/, '')
}

/** A pod's name in the cluster's name service, if it has one: with its subdomain, which is that of a service. */
export function qualifiedNameOf(pod: Persisted<Pod>): string | undefined {
  const { subdomain, hostnameOverride }: Partial<Spec> = pod.spec ?? {}
  if (!subdomain || hostnameOverride) return undefined
  return `${hostnameOf(pod)}.${subdomain}.${pod.metadata.namespace ?? ''}.${clusterDomain}`
}

/**
 * The name that a pod's programs find as that of their host.
 *
 * @throws {ContainerRefused} when the pod wants its qualified name and that is too long.
 */
export function systemNameOf(pod: Persisted<Pod>): string {
  const qualified = pod.spec?.setHostnameAsFQDN === true ? qualifiedNameOf(pod) : undefined
  if (qualified === undefined) return hostnameOf(pod)
  if (qualified.length <= longestName) return qualified
  throw new ContainerRefused(
    'CreateContainerConfigError',
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${qualified} is too long (${longestName} is the max, ${qualified.length} characters requested)`,
  )
}
