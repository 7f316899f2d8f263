import type { KubeObject } from '../../kube/index.ts'
import type { ResourceRequest } from './request.ts'

/** Records in `metadata.managedFields` which fields the request's manager set or changed. */
export function ownFields(
  _object: KubeObject,
  _old: KubeObject | undefined,
  _request: ResourceRequest,
  _now: number,
): void {}
