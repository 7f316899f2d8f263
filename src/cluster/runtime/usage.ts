/** What one container of a pod uses. */
export interface ContainerUsage {
  readonly name: string
  /** Mean over the window, in billionths of a core. */
  readonly cpuNanocores: number
  /** The working set at the end of the window. */
  readonly memoryBytes: number
}

/** What a pod uses. */
export interface PodUsage {
  /** End of the window, in milliseconds since the epoch. */
  readonly at: number
  readonly windowMs: number
  /** Its running containers. */
  readonly containers: readonly ContainerUsage[]
}

/**
 * What the API server asks of nodes for `metrics.k8s.io`. Authorisation is the caller's. Nothing is measured until somebody
 * asks.
 */
export interface UsageSource {
  /** By uid of the pod. Those of which nothing can be told, or nothing yet, are left out. */
  podUsage(podUids: Iterable<string>): Promise<ReadonlyMap<string, PodUsage>>
  /** Whether what a node's pods use is known of all of them, and so what the node uses. */
  measures(node: string): boolean
}
