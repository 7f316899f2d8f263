import {
  type CertificateSigningRequest,
  kinds,
  keyOf,
  parseKey,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, reconcile, unlessGone } from './controller.ts'

type Status = NonNullable<CertificateSigningRequest['status']>

/** Issues the certificates of approved requests to the cluster's own signers. */
export const certificateSigner: Controller = {
  name: 'certificatesigningrequest-signing-controller',
  actsAs: 'certificate-controller',
  async run(context) {
    const { client, informers, settings, signal, now } = context
    const sign = settings.signRequest
    if (!sign) return
    const queue = new WorkQueue()
    informers.of(kinds.certificateSigningRequests).subscribe((change) => {
      if (change.type !== 'DELETED' && isWaiting(change.object)) queue.add(keyOf(change.object))
    })
    await reconcile(context, queue, async (key) => {
      const at = parseKey(key)
      const request = await unlessGone(client.get(kinds.certificateSigningRequests, at, { signal }))
      if (!request || !isWaiting(request)) return
      const answer = await sign(request.spec)
      if (!answer) return
      const status =
        'certificate' in answer
          ? { ...request.status, certificate: Buffer.from(answer.certificate).toString('base64') }
          : failed(request.status, answer.failure, timestamp(now()))
      await client.replace(
        kinds.certificateSigningRequests,
        at,
        { ...request, status },
        { subresource: 'status', signal },
      )
    })
  },
}

/** Approved, and neither issued nor given up. */
function isWaiting({ status }: CertificateSigningRequest): boolean {
  const has = (wanted: string): boolean => status?.conditions?.some(({ type }) => type === wanted) ?? false
  return !status?.certificate && has('Approved') && !has('Denied') && !has('Failed')
}

function failed(status: Status | undefined, message: string, at: string): Status {
  const condition = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: at,
  }
  return { ...status, conditions: [...(status?.conditions ?? []), condition] }
}
