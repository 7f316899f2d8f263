import { type CoreEvent, type KubeClient, kinds, type Persisted } from '../../kube/index.ts'
import { readable } from '../identity.ts'
import { readJob } from './read-jobs.ts'
import { type JobView, viewJob } from './view.ts'

/** An event of a job or one of its pods. */
export interface EventView {
  /** As in `pod/tf-chief-0`. */
  readonly source: string
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly count: number
  readonly lastSeen: string
}

/** One job with its instances and events. */
export interface JobDetails {
  readonly job: JobView
  /** Oldest first. Absent when they may not be read. */
  readonly events?: readonly EventView[]
}

/**
 * Reads one job with its instances, events and the reason why it does not run.
 *
 * @throws {UserError} `NOT_FOUND`
 */
export async function getJob(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string },
  options: { readonly type?: string; readonly now: Date; readonly signal?: AbortSignal },
): Promise<JobDetails> {
  const where = { namespace: at.namespace, ...(options.signal && { signal: options.signal }) }
  const [read, eventList] = await Promise.all([
    readJob(client, at, options),
    readable(client.list(kinds.events, where)),
  ])
  const { job } = read
  const quotas = read.quotas.get(at.namespace)
  const uids = new Set([job.object.metadata.uid, ...job.pods.map(({ metadata }) => metadata.uid)])
  const events = eventList?.items.filter(({ involvedObject }) => uids.has(involvedObject.uid ?? ''))
  const view = viewJob(job, {
    jobs: read.jobs,
    now: options.now.getTime(),
    ...(quotas && { quotas }),
    ...(events && { events }),
  })
  return { job: view, ...(events && { events: events.map(viewEvent).sort(byTime) }) }
}

function viewEvent(event: Persisted<CoreEvent>): EventView {
  const { kind = '', name = '' } = event.involvedObject
  return {
    source: `${kind.toLowerCase()}/${name}`,
    type: event.type ?? 'Normal',
    reason: event.reason ?? '',
    message: event.message ?? '',
    count: event.series?.count ?? event.count ?? 1,
    lastSeen:
      event.series?.lastObservedTime ??
      event.lastTimestamp ??
      event.eventTime ??
      event.metadata.creationTimestamp,
  }
}

function byTime(a: EventView, b: EventView): number {
  return Date.parse(a.lastSeen) - Date.parse(b.lastSeen)
}
