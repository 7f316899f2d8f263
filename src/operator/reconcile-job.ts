import { isDeepStrictEqual } from 'node:util'
import {
  apiVersionOf,
  type EventRecorder,
  kinds,
  type KubeClient,
  type ReconcileResult,
  referenceTo,
} from '../kube/index.ts'
import { createGang, deleteQuietly, inBatches } from './gang.ts'
import { type JobState, restartsAnnotation } from './job-state.ts'
import { lineKey, type NamespaceQueue } from './namespace-queue.ts'
import { shortageText } from './quota-room.ts'
import type { StoredJob } from './training-job/kind.ts'
import { replicaName } from './training-job/labels.ts'
import type { Note, Plan } from './training-job/plan.ts'
import type { Wait } from './waiting-line.ts'

/** Another try for what the server refused for a reason other than quota. */
const refusedAgainMs = 30_000

export interface ReconcileContext {
  readonly client: KubeClient
  readonly recorder: EventRecorder
  readonly queue: NamespaceQueue
  readonly signal: AbortSignal
}

/** Brings one job to where it should be. */
export async function reconcileJob(
  context: ReconcileContext,
  state: JobState,
  key: string,
): Promise<ReconcileResult> {
  const job = state.jobs.objects.get(key)
  if (!job || job.metadata.deletionTimestamp) return undefined
  const plan = state.plan(job)
  if (plan.isExpired) return expire(context, state, job)
  const reconciler = { ...context, state, job, plan }
  // A restart is in the status before its pod goes, everything else is cleaned up before the status says so: whoever
  // stops in between is understood by the next run.
  if (plan.restarts > 0) await writeStatus(reconciler, plan.status)
  await deleteObjects(reconciler)
  if (plan.restarts === 0) await writeStatus(reconciler, plan.status)
  tell(reconciler, plan.notes)
  const againAfterMs = await createMissing(reconciler)
  const times = [plan.againAfterMs, againAfterMs].filter((time) => time !== undefined)
  return times.length > 0 ? { againAfterMs: Math.min(...times) } : undefined
}

interface Reconciler extends ReconcileContext {
  readonly state: JobState
  readonly job: StoredJob
  readonly plan: Plan
}

async function deleteObjects(reconciler: Reconciler): Promise<void> {
  const { client, signal, state, job, plan } = reconciler
  const { name, namespace = '' } = job.metadata
  if (plan.restarts > 0) {
    const annotations = { [restartsAnnotation]: String(state.restartsOf(job) + plan.restarts) }
    await client.patch(
      state.kind.type,
      { namespace, name },
      { type: 'merge', patch: { metadata: { annotations } } },
      { signal },
    )
  }
  await inBatches(plan.deletePods, async (pod) => {
    await deleteQuietly(client, kinds.pods, namespace, pod, signal)
    state.noteDeleted(pod)
  })
  await inBatches(plan.deleteServices, (service) =>
    deleteQuietly(client, kinds.services, namespace, service, signal),
  )
  const notes = plan.deletePods.map((pod): Note => {
    return { type: 'Normal', reason: 'SuccessfulDeletePod', message: `Deleted pod: ${pod.metadata.name}` }
  })
  tell(reconciler, notes)
}

async function writeStatus(
  { client, signal, state, job }: Reconciler,
  status: Plan['status'],
): Promise<void> {
  if (isDeepStrictEqual(status, job.status ?? {})) return
  const { name, namespace = '' } = job.metadata
  // With the version that was read: whoever changed the job meanwhile is looked at first.
  const { resourceVersion } = job.metadata
  await client.patch(
    state.kind.type,
    { namespace, name },
    { type: 'merge', patch: { metadata: { resourceVersion }, ...mergePatch(job.status ?? {}, status) } },
    { subresource: 'status', signal },
  )
}

/** `status` as a merge patch: fields that are gone are nulls. */
function mergePatch(before: Plan['status'], after: Plan['status']): { status: Record<string, never> } {
  const status: Record<string, unknown> = { ...after }
  for (const field of Object.keys(before)) if (!(field in after)) status[field] = null
  const replicas: Record<string, unknown> = {}
  for (const [name, replica] of Object.entries(after.replicaStatuses ?? {}))
    replicas[name] = { active: null, succeeded: null, failed: null, ...replica }
  for (const name of Object.keys(before.replicaStatuses ?? {})) replicas[name] ??= null
  if (Object.keys(replicas).length > 0) status.replicaStatuses = replicas
  return { status: status as Record<string, never> }
}

/** Makes the pods that are missing, unless the job has to wait for them. */
async function createMissing(reconciler: Reconciler): Promise<number | undefined> {
  const { client, signal, queue, state, job, plan } = reconciler
  if (plan.missing.length === 0 && plan.missingServices.length === 0) return undefined
  const wait = queue.line(job.metadata.namespace ?? '').get(lineKey(state, job))
  if (wait) {
    tell(reconciler, [waitingNote(job, plan, wait)])
    return undefined
  }
  const pause = queue.pauseMs(job)
  if (pause > 0) return pause
  const result = await createGang(
    client,
    {
      kind: state.kind,
      job,
      pods: plan.missing,
      services: plan.missingServices,
      isWhole: job.status?.startTime === undefined,
      existing: state.podsOf(job).filter((pod) => !pod.metadata.deletionTimestamp),
    },
    signal,
  )
  tell(reconciler, result.notes)
  if (result.outcome === 'no-room') return queue.noteNoRoom(job)
  if (result.outcome === 'refused') {
    queue.noteRefused(job)
    return refusedAgainMs
  }
  queue.noteAccepted(job)
  return undefined
}

function waitingNote(job: StoredJob, plan: Plan, wait: Wait): Note {
  const [first] = plan.missing
  const pod = first ? replicaName(job, first.role, first.index) : job.metadata.name
  const text = shortageText(wait.shortage)
  return wait.behind === undefined
    ? {
        type: 'Warning',
        reason: 'FailedCreatePod',
        message: `Error creating: pods ${JSON.stringify(pod)} is forbidden: ${text}`,
      }
    : { type: 'Normal', reason: 'Queued', message: `waits behind ${wait.behind}: ${text}` }
}

async function expire(context: ReconcileContext, state: JobState, job: StoredJob): Promise<undefined> {
  const { name, namespace = '', uid } = job.metadata
  const { client, signal } = context
  await client.delete(
    state.kind.type,
    { namespace, name },
    { propagationPolicy: 'Background', preconditions: { uid }, signal },
  )
  const message = `Deleted job: ${name}`
  tell({ ...context, state, job }, [{ type: 'Normal', reason: 'SuccessfulDeleteJob', message }])
  return undefined
}

function tell(
  { recorder, state, job }: Pick<Reconciler, 'recorder' | 'state' | 'job'>,
  notes: readonly Note[],
): void {
  const { type } = state.kind
  const about = referenceTo(job, { kind: type.kind, apiVersion: apiVersionOf(type) })
  for (const note of notes) recorder.record({ about, ...note })
}
