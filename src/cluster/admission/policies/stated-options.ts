import type { Admission } from '../../registry/index.ts'
import type { JsonObject } from '../../../kube/index.ts'

const kinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const

/** The options of a write, as its query or body states them. A stream has none: they are its object. */
export function statedOptions({ operation, options, request }: Admission): JsonObject | undefined {
  if (operation === 'CONNECT') return undefined
  const { fieldManager, fieldValidation } = request.stated ?? {}
  return {
    ...(operation === 'DELETE'
      ? options
      : { ...(fieldManager && { fieldManager }), ...(fieldValidation && { fieldValidation }) }),
    ...(request.dryRun && { dryRun: ['All'] }),
    kind: kinds[operation],
    apiVersion: 'meta.k8s.io/v1',
  }
}
