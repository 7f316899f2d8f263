import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../kube/index.ts'
import type { ResourceRequest } from './request.ts'

/**
 * Drops owner references that are there twice, with a warning. Kubernetes looks before admission, and again after it in
 * case admission added one; of patches only after it.
 */
export function dropDuplicateOwners(
  { metadata }: KubeObject,
  request: Pick<ResourceRequest, 'warn'>,
  found: 'in-request' | 'after-admission',
): void {
  const owners = metadata.ownerReferences
  if (!owners || owners.length < 2) return
  const kept: typeof owners = []
  const dropped: string[] = []
  for (const owner of owners) {
    if (kept.some((other) => other.uid === owner.uid && isDeepStrictEqual(other, owner)))
      dropped.push(owner.uid)
    else kept.push(owner)
  }
  if (dropped.length === 0) return
  const when = found === 'in-request' ? '' : ' after mutating admission happens'
  request.warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${dropped.join(', ')}`,
  )
  metadata.ownerReferences = kept
}
