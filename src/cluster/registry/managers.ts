import type { KubeObject } from '../../kube/index.ts'
import { updateManagedFields } from './patch/index.ts'
import type { ResourceRequest } from './request.ts'

/**
 * Records in `metadata.managedFields` which fields the request's manager set or changed. Runs before admission: what the
 * server fills in belongs to nobody.
 */
export function ownFields(
  object: KubeObject,
  old: KubeObject | undefined,
  request: ResourceRequest,
  now: number,
): void {
  updateManagedFields(object, old, {
    resource: request.resource,
    manager: request.fieldManager,
    ...(request.subresource && { subresource: request.subresource }),
    now,
  })
}
