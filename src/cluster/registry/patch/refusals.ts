import { StatusError } from '../../../kube/index.ts'

/** Kubernetes' answer to patches that cannot be carried out: it does not say why. */
export function unprocessable(cause?: unknown): StatusError {
  return new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server rejected our request due to an error in our request',
      reason: 'Invalid',
      details: {},
      code: 422,
    },
    { cause },
  )
}
