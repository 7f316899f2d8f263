import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CertificateSigningRequest, kinds, type Persisted } from '../../kube/index.ts'
import { type Controller, type ControllerContext, unlessGone } from './controller.ts'

const hourMs = 3_600_000
const decidedMs = hourMs
const pendingMs = 24 * hourMs

/** Removes certificate signing requests that nobody waits for any more. */
export const certificateCleaner: Controller = {
  name: 'certificatesigningrequest-cleaner-controller',
  actsAs: 'certificate-controller',
  async run(context) {
    while (!context.signal.aborted) {
      try {
        await sleep(hourMs, undefined, { signal: context.signal, ref: false })
        await sweep(context)
      } catch (error) {
        if (!context.signal.aborted) context.onError(error)
      }
    }
  },
}

async function sweep({ client, signal, now }: ControllerContext): Promise<void> {
  const { items } = await client.list(kinds.certificateSigningRequests, { signal })
  for (const request of items) {
    if (!isOver(request, now())) continue
    const { name, uid } = request.metadata
    await unlessGone(
      client.delete(kinds.certificateSigningRequests, { name }, { preconditions: { uid }, signal }),
    )
  }
}

/** An hour after the decision, a day after a request that nobody decided about, or when the certificate has ended. */
export function isOver({ metadata, status }: Persisted<CertificateSigningRequest>, now: number): boolean {
  const conditions = status?.conditions ?? []
  if (conditions.length === 0) return now - Date.parse(metadata.creationTimestamp) > pendingMs
  const isDecidedLongAgo = conditions.some(
    ({ type, lastUpdateTime }) =>
      ['Approved', 'Denied', 'Failed'].includes(type) &&
      lastUpdateTime !== undefined &&
      now - Date.parse(lastUpdateTime) > decidedMs,
  )
  return isDecidedLongAgo || (status?.certificate !== undefined && hasEnded(status.certificate, now))
}

function hasEnded(certificate: string, now: number): boolean {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo) < now
  } catch {
    // What another signer has put there is its own affair.
    return false
  }
}
