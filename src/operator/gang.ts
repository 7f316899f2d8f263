import {
  isStatus,
  type KubeClient,
  kinds,
  type Persisted,
  type Pod,
  type Service,
  StatusError,
} from '../kube/index.ts'
import type { StoredJob, TrainingJobKind } from './training-job/kind.ts'
import { buildPod, buildService } from './training-job/objects.ts'
import type { Note, Replica } from './training-job/plan.ts'

const atOnce = 16

export interface GangRequest {
  readonly kind: TrainingJobKind
  readonly job: StoredJob
  readonly pods: readonly Replica[]
  readonly services: readonly Replica[]
  /** The job has not started yet: make all of its pods or none. */
  readonly isWhole: boolean
  /** Pods that are there already; taken back with the others. */
  readonly existing: readonly Persisted<Pod>[]
}

/** Made, refused by quota (worth waiting for), or refused for a reason that will not go away by itself. */
export type GangResult =
  | { readonly outcome: 'made'; readonly notes: readonly Note[] }
  | { readonly outcome: 'no-room' | 'refused'; readonly notes: readonly Note[] }

/**
 * Makes the pods and services of a job. When the server refuses one of them, those made before are taken back, so that no
 * half of a job sits on what others could use.
 *
 * @throws {StatusError} for failures that a retry may mend.
 */
export async function createGang(
  client: KubeClient,
  request: GangRequest,
  signal: AbortSignal,
): Promise<GangResult> {
  const { kind, job } = request
  const madeServices: Persisted<Service>[] = []
  const madePods: Persisted<Pod>[] = []
  const failures: { what: 'Pod' | 'Service'; error: unknown }[] = []
  const namespace = job.metadata.namespace ?? ''

  async function attempt(what: 'Pod' | 'Service', make: () => Promise<void>): Promise<void> {
    try {
      await make()
    } catch (error) {
      const type = what === 'Pod' ? kinds.pods : kinds.services
      const isOurs = await isOwnAlready(client, type, error, job, signal).catch(() => false)
      if (!isOurs) failures.push({ what, error })
    }
  }

  await inBatches(request.services, ({ role, index }) =>
    attempt('Service', async () => {
      const service = buildService(kind, job, role, index)
      madeServices.push(await client.create(kinds.services, service, { namespace, signal }))
    }),
  )
  for (let at = 0; at < request.pods.length && failures.length === 0; at += atOnce)
    await inBatches(request.pods.slice(at, at + atOnce), ({ role, index }) =>
      attempt('Pod', async () => {
        const pod = buildPod(kind, job, role, index)
        madePods.push(await client.create(kinds.pods, pod, { namespace, signal }))
      }),
    )

  const [failure] = failures
  if (!failure)
    return { outcome: 'made', notes: [...madeServices.map(createdService), ...madePods.map(createdPod)] }
  if (request.isWhole) await takeBack(client, namespace, [...request.existing, ...madePods], madeServices)
  const { error, what } = failure
  if (!(error instanceof StatusError) || !isRefusal(error)) throw error
  const note: Note = {
    type: 'Warning',
    reason: `FailedCreate${what}`,
    message: `Error creating: ${error.message}`,
  }
  return { outcome: isQuotaRefusal(error) ? 'no-room' : 'refused', notes: [note] }
}

/** The server said no and will say so again: policy, quota, an object that is not valid. */
function isRefusal(error: StatusError): boolean {
  return isStatus(error, 'Forbidden') || isStatus(error, 'Invalid') || isStatus(error, 'BadRequest')
}

function isQuotaRefusal(error: StatusError): boolean {
  return isStatus(error, 'Forbidden') && error.message.includes('exceeded quota: ')
}

/** The object was made before and the watch has not told yet. One of somebody else in its place is an error. */
async function isOwnAlready(
  client: KubeClient,
  type: typeof kinds.pods | typeof kinds.services,
  error: unknown,
  job: StoredJob,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isStatus(error, 'AlreadyExists')) return false
  const name = error.status.details?.name ?? ''
  const found = await client.get<Pod | Service>(
    type,
    { namespace: job.metadata.namespace ?? '', name },
    { signal },
  )
  return (
    !found.metadata.deletionTimestamp &&
    (found.metadata.ownerReferences?.some((owner) => owner.uid === job.metadata.uid) ?? false)
  )
}

async function takeBack(
  client: KubeClient,
  namespace: string,
  pods: readonly Persisted<Pod>[],
  services: readonly Persisted<Service>[],
): Promise<void> {
  // Not with the signal of the operator: what was made must be taken back also while it stops.
  await inBatches(pods, (pod) => deleteQuietly(client, kinds.pods, namespace, pod))
  await inBatches(services, (service) => deleteQuietly(client, kinds.services, namespace, service))
}

/** Deletes that very object; fine when it is gone already. */
export async function deleteQuietly<T>(
  client: KubeClient,
  type: Parameters<KubeClient['delete']>[0],
  namespace: string,
  object: Persisted<T>,
  signal?: AbortSignal,
): Promise<void> {
  const { name, uid } = object.metadata
  try {
    await client.delete(type, { namespace, name }, { preconditions: { uid }, ...(signal && { signal }) })
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
  }
}

export async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += atOnce) await Promise.all(items.slice(at, at + atOnce).map(work))
}

function createdPod(pod: Persisted<Pod>): Note {
  return { type: 'Normal', reason: 'SuccessfulCreatePod', message: `Created pod: ${pod.metadata.name}` }
}

function createdService(service: Persisted<Service>): Note {
  return {
    type: 'Normal',
    reason: 'SuccessfulCreateService',
    message: `Created service: ${service.metadata.name}`,
  }
}
