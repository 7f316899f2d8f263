import type { KubeObject, Persisted } from '../../kube/index.ts'

/**
 * An object as it was last known: the cache may lag behind what a controller itself has just written. What is gone from
 * the cache is gone: it was there before it could be written.
 */
export function laterOf<T extends Persisted<KubeObject>>(
  cached: T | undefined,
  written: T | undefined,
): T | undefined {
  if (cached === undefined || written === undefined) return cached
  if (cached.metadata.uid !== written.metadata.uid) return cached
  return Number(written.metadata.resourceVersion) > Number(cached.metadata.resourceVersion) ? written : cached
}
