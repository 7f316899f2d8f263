import { randomBytes } from 'node:crypto'
import { apiVersionOf, isStatus, type KubeClient, kinds } from '../kube/index.ts'
import { wireTime } from './training-job/conditions.ts'
import type { StoredJob, TrainingJobKind } from './training-job/kind.ts'
import type { Note } from './training-job/plan.ts'

/** Repetitions within this time are counted on one event. */
const countingMs = 10 * 60_000
const remembered = 2000

export interface EventRecorder {
  /** Never throws: events are best effort. */
  record(kind: TrainingJobKind, job: StoredJob, note: Note): Promise<void>
}

interface Known {
  readonly name: string
  count: number
  lastMs: number
}

export function createEventRecorder(options: {
  readonly client: KubeClient
  readonly signal: AbortSignal
  readonly now: () => number
  readonly onError: (error: unknown) => void
}): EventRecorder {
  const { client, signal, now } = options
  const known = new Map<string, Known>()

  async function write(kind: TrainingJobKind, job: StoredJob, note: Note): Promise<void> {
    const namespace = job.metadata.namespace ?? 'default'
    const key = [job.metadata.uid, note.type, note.reason, note.message].join('\n')
    const before = known.get(key)
    const time = wireTime(now())
    if (before && now() - before.lastMs < countingMs) {
      before.count += 1
      before.lastMs = now()
      const patch = { count: before.count, lastTimestamp: time }
      const at = { namespace, name: before.name }
      await client.patch(kinds.events, at, { type: 'merge', patch }, { signal })
      return
    }
    const name = `${job.metadata.name}.${randomBytes(8).toString('hex')}`
    if (known.size >= remembered) known.clear()
    known.set(key, { name, count: 1, lastMs: now() })
    await client.create(
      kinds.events,
      {
        metadata: { name, namespace },
        involvedObject: {
          apiVersion: apiVersionOf(kind.type),
          kind: kind.type.kind,
          namespace,
          name: job.metadata.name,
          uid: job.metadata.uid,
          resourceVersion: job.metadata.resourceVersion,
        },
        type: note.type,
        reason: note.reason,
        message: note.message.slice(0, 1024),
        source: { component: kind.controllerName },
        reportingComponent: kind.controllerName,
        reportingInstance: '',
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      },
      { namespace, signal },
    )
  }

  return {
    async record(kind, job, note) {
      try {
        await write(kind, job, note)
      } catch (error) {
        // The event may have aged out, or the namespace be going.
        if (!signal.aborted && !isStatus(error, 'NotFound') && !isStatus(error, 'Forbidden'))
          options.onError(error)
      }
    },
  }
}
