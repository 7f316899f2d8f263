import { StatusError } from '../../kube/index.ts'

/** A failure that Kubernetes answers with 500 and no reason: an error that nobody there turned into a status. */
export function plainFailure(message: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    code: 500,
  })
}
